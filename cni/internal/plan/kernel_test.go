package plan

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// kernel is the kernel as far as plans see it: it keeps the states of pod and node, and refuses what the
// real one refuses.
type kernel struct{ facts.Facts }

func newKernel(observed *facts.Facts) *kernel {
	k := &kernel{*observed}
	for _, side := range []facts.Side{facts.Pod, facts.Host} {
		state, from := k.Of(side), observed.Of(side)
		state.Links, state.Addrs, state.Rules = slices.Clone(from.Links), slices.Clone(from.Addrs), slices.Clone(from.Rules)
		state.Routes, state.Neighs, state.Special = slices.Clone(from.Routes), slices.Clone(from.Neighs), slices.Clone(from.Special)
		state.Sysctls, state.Marks = clone(from.Sysctls), clone(from.Marks)
	}
	return k
}

func clone[K comparable, V any](m map[K]V) map[K]V {
	copied := map[K]V{}
	for key, value := range m {
		copied[key] = value
	}
	return copied
}

// String shows the state without the order in which things were added.
func (k *kernel) String() string {
	var lines []string
	for _, side := range []facts.Side{facts.Pod, facts.Host} {
		state := k.Of(side)
		for _, link := range state.Links {
			lines = append(lines, fmt.Sprintf("%s link %+v", side, link))
		}
		for _, addr := range state.Addrs {
			lines = append(lines, fmt.Sprintf("%s addr %+v", side, addr))
		}
		for _, route := range slices.Concat(state.Routes, state.Special) {
			lines = append(lines, fmt.Sprintf("%s route %+v", side, route))
		}
		for _, rule := range state.Rules {
			if side == facts.Pod {
				lines = append(lines, fmt.Sprintf("%s rule %+v", side, rule))
			}
		}
		for _, neigh := range state.Neighs {
			if neigh.Permanent {
				lines = append(lines, fmt.Sprintf("%s neigh %+v", side, neigh))
			}
		}
		for key, value := range state.Sysctls {
			lines = append(lines, fmt.Sprintf("%s sysctl %s=%s", side, key, value))
		}
		for family, marks := range state.Marks {
			if marks == facts.MarksComplete {
				lines = append(lines, fmt.Sprintf("%s marks %s", side, family))
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (k *kernel) run(ops []Op) error {
	for _, op := range ops {
		if err := k.do(op.Do); err != nil {
			return fmt.Errorf("%s: %w", op.Do, err)
		}
	}
	return nil
}

func (k *kernel) do(action Action) error {
	switch a := action.(type) {
	case PutRoute:
		return k.putRoute(a)
	case AddRoute:
		return k.addRoute(a.Side, a.Route)
	case DropRoute:
		return drop(&k.Of(a.Side).Routes, a.Route)
	case PutAddr:
		k.Of(a.Side).Addrs = append(k.Of(a.Side).Addrs, a.Addr)
	case DropAddr:
		return drop(&k.Of(a.Side).Addrs, a.Addr)
	case AwaitAddr:
		for i := range k.Of(a.Side).Addrs {
			if addr := &k.Of(a.Side).Addrs[i]; addr.Prefix.Addr() == a.IP {
				addr.Tentative = false
			}
		}
	case PutRule:
		k.Of(a.Side).Rules = append(k.Of(a.Side).Rules, a.Rule)
	case DropRule:
		return drop(&k.Of(a.Side).Rules, a.Rule)
	case PutNeigh:
		k.dropNeigh(a.Side, a.Neigh)
		k.Of(a.Side).Neighs = append(k.Of(a.Side).Neighs, a.Neigh)
	case DropNeigh:
		k.dropNeigh(a.Side, a.Neigh)
	case SetSysctl:
		if strings.HasPrefix(a.Key, "net/ipv6/") && !k.Of(a.Side).Has(facts.V6) {
			return fmt.Errorf("no such file")
		}
		k.Of(a.Side).Sysctls[a.Key] = a.Value
	case PutMarks:
		k.Pod.Marks[a.Family] = facts.MarksComplete
	case DropMarks:
		k.Pod.Marks[a.Family] = facts.MarksAbsent
	default:
		return k.doLink(action)
	}
	return nil
}

func drop[T comparable](entries *[]T, entry T) error {
	index := slices.Index(*entries, entry)
	if index < 0 {
		return fmt.Errorf("no such entry")
	}
	*entries = slices.Delete(*entries, index, index+1)
	return nil
}

func (k *kernel) dropNeigh(side facts.Side, neigh facts.Neigh) {
	k.Of(side).Neighs = slices.DeleteFunc(k.Of(side).Neighs, func(n facts.Neigh) bool { return n.Dev == neigh.Dev && n.IP == neigh.IP })
}

func (k *kernel) doLink(action Action) error {
	change := func(side facts.Side, dev string, change func(*facts.Link)) error {
		for i := range k.Of(side).Links {
			if link := &k.Of(side).Links[i]; link.Name == dev {
				change(link)
				return nil
			}
		}
		return fmt.Errorf("no such link")
	}
	switch a := action.(type) {
	case AddVeth:
		k.Pod.Links = append(k.Pod.Links, facts.Link{Index: 90, Peer: 91, Name: a.Pod, Kind: "veth", MAC: a.PodMAC, MTU: a.MTU})
		k.Host.Links = append(k.Host.Links, facts.Link{
			Index: 91, Peer: 90, Name: a.Host, Kind: "veth", MAC: a.HostMAC, MTU: a.MTU, PeerElsewhere: true,
		})
	case DropLink:
		k.dropPair(a.Dev)
	case SetAlias:
		return change(a.Side, a.Dev, func(l *facts.Link) { l.Alias = a.Alias })
	case SetMTU:
		return change(a.Side, a.Dev, func(l *facts.Link) { l.MTU = a.MTU })
	case SetMAC:
		return change(a.Side, a.Dev, func(l *facts.Link) { l.MAC = a.MAC })
	case SetUp:
		return change(a.Side, a.Dev, func(l *facts.Link) { l.Up = a.Up })
	case SetTxQLen:
		return change(a.Side, a.Dev, func(l *facts.Link) { l.TxQLen = a.Len })
	}
	return nil
}

// dropPair deletes the host veth, and with it what is of both ends.
func (k *kernel) dropPair(host string) {
	for side, dev := range map[facts.Side]string{facts.Host: host, facts.Pod: facts.PodVeth} {
		state := k.Of(side)
		state.Links = slices.DeleteFunc(state.Links, func(l facts.Link) bool { return l.Name == dev })
		state.Addrs = slices.DeleteFunc(state.Addrs, func(a facts.Addr) bool { return a.Dev == dev })
		state.Routes = slices.DeleteFunc(state.Routes, func(r facts.Route) bool { return r.Dev == dev })
		state.Neighs = slices.DeleteFunc(state.Neighs, func(n facts.Neigh) bool { return n.Dev == dev })
		for key := range state.Sysctls {
			if strings.Contains(key, "/"+dev+"/") {
				delete(state.Sysctls, key)
			}
		}
	}
}

func (k *kernel) putRoute(a PutRoute) error {
	state := k.Of(a.Side)
	sameKey := func(r facts.Route) bool {
		return r.Table == a.Route.Table && r.Dst == a.Route.Dst && r.Metric == a.Route.Metric
	}
	if a.New && slices.ContainsFunc(slices.Concat(state.Routes, state.Special), sameKey) {
		return fmt.Errorf("%s: file exists", a)
	}
	if i := slices.IndexFunc(state.Special, sameKey); i >= 0 {
		state.Special = slices.Delete(state.Special, i, i+1)
	}
	if a.Route.Type != 0 {
		state.Routes = slices.DeleteFunc(state.Routes, sameKey)
		state.Special = append(state.Special, a.Route)
		return nil
	}
	if i := slices.IndexFunc(state.Routes, sameKey); i >= 0 {
		state.Routes = slices.Delete(state.Routes, i, i+1)
	}
	return k.addRoute(a.Side, a.Route)
}

// addRoute refuses what the kernel refuses: a source that is no address of the namespace or still
// tentative, a router that is not on-link, and a route that is there already.
func (k *kernel) addRoute(side facts.Side, route facts.Route) error {
	state := k.Of(side)
	if _, ok := state.Link(route.Dev); !ok {
		return fmt.Errorf("no such device")
	}
	if source, ok := state.Addr(route.Src); route.Src.IsValid() && (!ok || source.Tentative) {
		return fmt.Errorf("invalid source")
	}
	onLink := func(r facts.Route) bool {
		return (r.Table == route.Table || r.Table == facts.TableMain) && r.Dev == route.Dev && !r.Gw.IsValid() && r.Dst.Contains(route.Gw)
	}
	if route.Gw.IsValid() && !route.Onlink && !route.Gw.IsLinkLocalUnicast() && !slices.ContainsFunc(state.Routes, onLink) {
		return fmt.Errorf("the router is not on-link")
	}
	if slices.Contains(state.Routes, route) {
		return fmt.Errorf("file exists")
	}
	state.Routes = append(state.Routes, route)
	return nil
}

func TestAfterAPlanNothingIsLeftToDo(t *testing.T) {
	forRandomPlans(t, func(observed *facts.Facts, req *Request, plan *Plan) error {
		k := newKernel(observed)
		if err := k.run(plan.Ops); err != nil {
			return err
		}
		again, err := Add(&k.Facts, req)
		if err != nil {
			return fmt.Errorf("a second ADD is refused: %w", err)
		}
		if len(again.Ops) > 0 {
			return fmt.Errorf("a second ADD has more to do:\n%s\nafter", describe(again.Ops))
		}
		return nil
	})
}

// A process that dies rolls nothing back: the ADD after it must come to the same state as one that was not
// interrupted, but for the numbers of private tables of which only a part was written.
func TestAnADDAfterACrashAtAnyStepLeavesNothingToDo(t *testing.T) {
	forRandomPlans(t, func(observed *facts.Facts, req *Request, plan *Plan) error {
		k := newKernel(observed)
		steps := len(k.String()) % (len(plan.Ops) + 1)
		if err := k.run(plan.Ops[:steps]); err != nil {
			return err
		}
		second, err := Add(&k.Facts, req)
		if err != nil {
			return fmt.Errorf("the ADD after a crash at step %d is refused: %w", steps, err)
		}
		if err := k.run(second.Ops); err != nil {
			return fmt.Errorf("the ADD after a crash at step %d: %w\n%s", steps, err, describe(second.Ops))
		}
		again, err := Add(&k.Facts, req)
		if err != nil || len(again.Ops) > 0 {
			return fmt.Errorf("after a crash at step %d the third ADD: %w\n%s", steps, err, describe(again.Ops))
		}
		whole := newKernel(observed)
		if err := whole.run(plan.Ops); err != nil {
			return err
		}
		if got, want := ownMain(k), ownMain(whole); got != want {
			return fmt.Errorf("after a crash at step %d:\n%s\nand without it:\n%s", steps, got, want)
		}
		return nil
	})
}

// ownMain shows what does not depend on the numbers of private tables.
func ownMain(k *kernel) string {
	var lines []string
	for _, route := range slices.Concat(k.Pod.Routes, k.Pod.Special, k.Host.Routes) {
		if route.Table < FirstTable {
			lines = append(lines, fmt.Sprintf("%+v", route))
		}
	}
	for _, rule := range k.Pod.Rules {
		if rule.Proto == facts.Proto {
			rule.Table = 0
			lines = append(lines, fmt.Sprintf("%+v", rule))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestRollbackRestoresTheState(t *testing.T) {
	forRandomPlans(t, func(observed *facts.Facts, req *Request, plan *Plan) error {
		if slices.ContainsFunc(plan.Ops, func(op Op) bool { _, stale := op.Do.(DropLink); return stale }) {
			return nil // what belonged to a container that is gone does not come back
		}
		before := newKernel(observed).String()
		failed := len(before) % (len(plan.Ops) + 1)
		k := newKernel(observed)
		if err := k.run(plan.Ops[:failed]); err != nil {
			return err
		}
		for i := failed - 1; i >= 0; i-- {
			if undo := plan.Ops[i].Undo; undo != nil {
				if err := k.do(undo); err != nil {
					return fmt.Errorf("undo of %s: %s: %w", plan.Ops[i].Do, undo, err)
				}
			}
		}
		if after := withoutWhatStays(k, observed).String(); after != before {
			return fmt.Errorf("after %d steps are rolled back:\n%s\nbefore:\n%s", failed, after, before)
		}
		return nil
	})
}

// withoutWhatStays takes back what a rollback leaves on purpose: the end of duplicate address detection,
// an alias that was missing, sysctls that could not be read, a table of marks that was broken.
func withoutWhatStays(k *kernel, before *facts.Facts) *kernel {
	for _, side := range []facts.Side{facts.Pod, facts.Host} {
		state, old := k.Of(side), before.Of(side)
		for i := range state.Addrs {
			if addr, ok := old.Addr(state.Addrs[i].Prefix.Addr()); ok {
				state.Addrs[i].Tentative = addr.Tentative
			}
		}
		for i := range state.Links {
			if link, ok := old.Link(state.Links[i].Name); ok {
				state.Links[i].Alias = link.Alias
			}
		}
		for key := range state.Sysctls {
			if _, ok := old.Sysctls[key]; !ok {
				delete(state.Sysctls, key)
			}
		}
		state.Marks = clone(old.Marks)
	}
	return k
}

// randomRoutes adds routes of IPAM and of others that equal, contain or are inside what a plan adds.
func randomRoutes(random *rand.Rand, f *facts.Facts, nics []nic) {
	destinations := []string{"10.233.0.0/18", "10.233.0.0/16", "10.233.1.0/24", "10.6.0.10/32", "198.18.0.0/15", "10.6.0.0/16", "0.0.0.0/0"}
	for range random.IntN(3) {
		n := nics[random.IntN(len(nics))]
		dst := netip.MustParsePrefix(destinations[random.IntN(len(destinations))])
		route := facts.Route{Dst: dst, Dev: n.name, Table: facts.TableMain, Metric: []int{0, 0, 50}[random.IntN(3)], Proto: 3}
		if random.IntN(3) > 0 {
			route.Gw = netip.MustParseAddr(fmt.Sprintf("10.%d.0.%d", n.net, 1+random.IntN(2)))
		}
		taken := func(r facts.Route) bool {
			return r.Table == route.Table && r.Dst == route.Dst && r.Metric == route.Metric
		}
		if !n.v4 || slices.ContainsFunc(f.Pod.Routes, taken) || slices.ContainsFunc(f.Pod.Special, taken) {
			continue
		}
		if random.IntN(4) == 0 {
			f.Pod.Special = append(f.Pod.Special, facts.Route{Dst: dst, Table: facts.TableMain, Metric: route.Metric, Proto: 3, Type: 6})
			continue
		}
		f.Pod.Routes = append(f.Pod.Routes, route)
	}
}
