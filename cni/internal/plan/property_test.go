package plan

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

const rounds = 3000

// forRandomPlans plans the ADD of random interfaces and passes each plan that is not refused to a
// check. What the kernel makes of a plan is tested in tests/cni/test_properties.py.
func forRandomPlans(t *testing.T, check func(observed *facts.Facts, req *Request, plan *Plan) error) {
	t.Helper()
	plans := 0
	for seed := range uint64(rounds) {
		random := rand.New(rand.NewPCG(seed, 1))
		observed, req := randomFacts(random)
		plan, err := Add(observed, req)
		if err != nil {
			continue
		}
		plans++
		if err := check(observed, req, plan); err != nil {
			t.Fatalf("seed %d: interface %s, %+v: %v\n%s", seed, req.IfName, req.Config, err, describe(plan.Ops))
		}
	}
	if plans < rounds/2 {
		t.Errorf("only %d of %d requests are planned", plans, rounds)
	}
}

// randomFacts makes a pod and the request for its last interface; before it the coordinator may have
// been called for the others, and other programs may have used tables and addresses.
func randomFacts(random *rand.Rand) (*facts.Facts, *Request) {
	nics := randomNICs(random)
	observed := podFixture(nics...)
	switch {
	case random.IntN(2) == 0:
		clusterNetwork(observed)
		[]func(*facts.Facts){func(*facts.Facts) {}, onBridge, onNetkit}[random.IntN(3)](observed)
	case len(nics) > 1:
		hostVeth(observed)
	}
	if random.IntN(3) == 0 {
		otherPrograms(observed)
	}
	if random.IntN(3) == 0 {
		randomRoutes(random, observed, nics)
	}
	if random.IntN(6) == 0 {
		observed.Pod.NoIPv6, observed.Host.NoIPv6 = true, true
	}
	for i := range observed.Pod.Addrs {
		addr := &observed.Pod.Addrs[i]
		addr.Tentative = addr.Prefix.Addr().Is6() && random.IntN(4) == 0
		addr.Dynamic = addr.Prefix.Addr().Is6() && random.IntN(4) == 0
	}
	req := randomRequest(random, nics[len(nics)-1].name)
	if random.IntN(3) == 0 {
		movedDefault(observed, nics[0])
	}
	return observed, req
}

// otherPrograms adds entries of other programs that are in the way of a plan.
func otherPrograms(f *facts.Facts) {
	podIP := netip.MustParsePrefix("10.6.1.2/32")
	f.Pod.Routes = append(f.Pod.Routes, facts.Route{Dst: netip.MustParsePrefix("203.0.113.0/24"), Dev: "lo", Table: FirstTable})
	f.Pod.Rules = append(f.Pod.Rules, facts.Rule{Family: facts.V4, Priority: 32764, Mark: 0x111, Mask: 0xfff, Table: 100})
	f.Host.Links = append(f.Host.Links, facts.Link{Index: 50, Name: "old", Kind: "bridge"})
	f.Host.Routes = append(f.Host.Routes, facts.Route{Dst: podIP, Dev: "old", Table: 500})
	f.Host.Neighs = append(f.Host.Neighs,
		facts.Neigh{Dev: "old", IP: podIP.Addr(), MAC: "02:00:00:00:00:99", Permanent: true},
		facts.Neigh{Dev: "eth0", IP: podIP.Addr(), MAC: "02:00:00:00:00:98"})
	f.Pod.Marks[facts.V4] = facts.MarksBroken
}

func TestAddIsDeterministicAndDoesNotChangeTheFacts(t *testing.T) {
	forRandomPlans(t, func(observed *facts.Facts, req *Request, plan *Plan) error {
		before := fmt.Sprintf("%+v", observed)
		again, err := Add(observed, req)
		if err != nil || !reflect.DeepEqual(plan, again) {
			return fmt.Errorf("another plan of the same facts: %w\n%s", err, describe(again.Ops))
		}
		if after := fmt.Sprintf("%+v", observed); after != before {
			return fmt.Errorf("the facts are changed from %s to %s", before, after)
		}
		return nil
	})
}

func TestUndoRestoresWhatAnOperationChanges(t *testing.T) {
	forRandomPlans(t, func(observed *facts.Facts, _ *Request, plan *Plan) error {
		for _, op := range plan.Ops {
			if want := undoOf(observed, op.Do); op.Undo != want {
				return fmt.Errorf("%s: undone by %v, want %v", op.Do, op.Undo, want)
			}
		}
		return nil
	})
}

func TestNoTwoOperationsOfAPlanChangeTheSameObject(t *testing.T) {
	forRandomPlans(t, func(_ *facts.Facts, _ *Request, plan *Plan) error {
		changed := map[string]bool{}
		for _, op := range plan.Ops {
			key := objectOf(op.Do)
			if changed[key] {
				return fmt.Errorf("%s is changed twice", key)
			}
			changed[key] = true
		}
		return nil
	})
}

// A rule that is added before the routes of its table would send packets nowhere meanwhile, and so
// would a default route that is deleted before its copy is there.
func TestRoutesAreAddedBeforeTheirRuleAndBeforeTheOriginalIsDeleted(t *testing.T) {
	forRandomPlans(t, func(observed *facts.Facts, _ *Request, plan *Plan) error {
		routes := slices.Clone(observed.Pod.Routes)
		has := func(match func(facts.Route) bool) bool { return slices.ContainsFunc(routes, match) }
		for _, op := range plan.Ops {
			switch a := op.Do.(type) {
			case PutRoute:
				if a.Side == facts.Pod {
					routes = append(routes, a.Route)
				}
			case PutRule:
				if a.Side == facts.Pod && !has(func(r facts.Route) bool { return r.Table == a.Rule.Table }) {
					return fmt.Errorf("%s: the table is empty", a)
				}
			case DropRoute:
				r := a.Route
				if !has(func(c facts.Route) bool {
					return c.Table != r.Table && c.Dst == r.Dst && c.Gw == r.Gw && c.Dev == r.Dev
				}) {
					return fmt.Errorf("%s: it is in no other table", a)
				}
			}
		}
		return nil
	})
}

func TestRulesUsePrivateTablesAfterTheMarkRule(t *testing.T) {
	forRandomPlans(t, func(observed *facts.Facts, req *Request, plan *Plan) error {
		devOf := map[int]string{}
		for _, op := range plan.Ops {
			rule, ok := op.Do.(PutRule)
			if !ok || rule.Side == facts.Host {
				continue
			}
			dev := ruleDev(observed, req, rule.Rule)
			if other, ok := devOf[rule.Rule.Table]; ok && other != dev {
				return fmt.Errorf("table %d is of %s and %s", rule.Rule.Table, other, dev)
			}
			devOf[rule.Rule.Table] = dev
			if rule.Rule.Table < FirstTable || rule.Rule.Proto != facts.Proto {
				return fmt.Errorf("%s: not a private table, or not our protocol", rule)
			}
			if rule.Rule.Priority != PriorityLast && rule.Rule.Src.IsValid() == (rule.Rule.Priority <= PriorityMark) {
				return fmt.Errorf("%s: the mark rule comes first", rule)
			}
			if slices.ContainsFunc(observed.Pod.Routes, func(r facts.Route) bool {
				return r.Table == rule.Rule.Table && r.Dev == "lo"
			}) {
				return fmt.Errorf("%s: the table is another program's", rule)
			}
		}
		return nil
	})
}

func TestNothingIsRoutedInAFamilyTheInterfaceHasNoAddressIn(t *testing.T) {
	forRandomPlans(t, func(observed *facts.Facts, req *Request, plan *Plan) error {
		for _, op := range plan.Ops {
			route, ok := op.Do.(PutRoute)
			if ok && len(observed.Pod.Usable(req.IfName, route.Route.Family())) == 0 {
				return fmt.Errorf("%s: %s has no such address", op.Do, req.IfName)
			}
		}
		return nil
	})
}

// ruleDev is the interface whose address a rule selects; the mark rule selects none.
func ruleDev(observed *facts.Facts, req *Request, rule facts.Rule) string {
	for _, link := range observed.Pod.Links {
		if rule.Src.IsValid() && slices.Contains(req.addresses(observed, link.Name, rule.Family), rule.Src.Addr()) {
			return link.Name
		}
	}
	return markTableOwner
}
