package apply

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
)

var errNoLink = errors.New("no such interface")

func (k *Kernel) do(action plan.Action) error {
	switch a := action.(type) {
	case plan.AddVeth, plan.DropLink, plan.SetAlias, plan.SetMTU, plan.SetMAC, plan.SetUp, plan.SetTxQLen:
		return k.doLink(action)
	case plan.SetSysctl:
		return k.writeSysctl(a)
	case plan.PutAddr:
		return k.changeAddr(a.Side, a.Addr, (*netlink.Handle).AddrReplace)
	case plan.AwaitAddr:
		return k.awaitAddr(a)
	case plan.DropAddr:
		return k.changeAddr(a.Side, a.Addr, (*netlink.Handle).AddrDel)
	case plan.PutRoute:
		return k.putRoute(a)
	case plan.AddRoute:
		return k.changeRoute(a.Side, a.Route, (*netlink.Handle).RouteAppend)
	case plan.DropRoute:
		return k.dropRoute(a.Side, a.Route)
	case plan.PutRule:
		err := k.netns(a.Side).Netlink.RuleAdd(toRule(a.Rule))
		if errors.Is(err, unix.EEXIST) {
			return nil // a concurrent ADD added it
		}
		return err
	case plan.DropRule:
		return k.netns(a.Side).Netlink.RuleDel(toRule(a.Rule))
	case plan.PutNeigh:
		return k.changeNeigh(a.Side, a.Neigh, (*netlink.Handle).NeighSet)
	case plan.DropNeigh:
		return k.changeNeigh(a.Side, a.Neigh, (*netlink.Handle).NeighDel)
	case plan.PutMarks:
		return k.putMarks(a)
	case plan.DropMarks:
		return k.dropMarks(a.Family)
	}
	return fmt.Errorf("unsupported action %T", action)
}

func (k *Kernel) netns(side facts.Side) *facts.Namespace {
	if side == facts.Host {
		return k.Host
	}
	return k.Pod
}

// index returns a link's index; each name is looked up once.
func (k *Kernel) index(side facts.Side, dev string) (int, error) {
	if index, cached := k.indexes[side][dev]; cached {
		return index, nil
	}
	link, err := k.netns(side).Netlink.LinkByName(dev)
	if err != nil {
		var notFound netlink.LinkNotFoundError
		if errors.As(err, &notFound) {
			return 0, fmt.Errorf("%w %s on the %s", errNoLink, dev, side)
		}
		return 0, err
	}
	if k.indexes == nil {
		k.indexes = map[facts.Side]map[string]int{facts.Pod: {}, facts.Host: {}}
	}
	k.indexes[side][dev] = link.Attrs().Index
	return link.Attrs().Index, nil
}

// CacheIndexes takes the indexes of the links of the observed state.
func (k *Kernel) CacheIndexes(observed *facts.Facts) {
	k.indexes = map[facts.Side]map[string]int{facts.Pod: {}, facts.Host: {}}
	for _, side := range []facts.Side{facts.Pod, facts.Host} {
		for _, link := range observed.Of(side).Links {
			k.indexes[side][link.Name] = link.Index
		}
	}
}

func (k *Kernel) writeSysctl(a plan.SetSysctl) error {
	err := k.netns(a.Side).WriteSysctl(a.Key, a.Value)
	if errors.Is(err, unix.EROFS) {
		return fmt.Errorf("%w (is /proc/sys read-only for the container runtime?)", err)
	}
	return err
}

func (k *Kernel) changeAddr(side facts.Side, addr facts.Addr, change func(*netlink.Handle, netlink.Link, *netlink.Addr) error) error {
	index, err := k.index(side, addr.Dev)
	if err != nil {
		return err
	}
	flags := 0
	if addr.Prefix.Addr().Is6() {
		flags = unix.IFA_F_NODAD
	}
	link := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: index, Name: addr.Dev}}
	changed := &netlink.Addr{IPNet: facts.ToIPNet(addr.Prefix), Scope: addr.Scope, Flags: flags}
	if addr.Unpreferred && addr.Prefix.Addr().Is6() {
		changed.ValidLft, changed.PreferedLft = math.MaxUint32, 0 // for ever, and deprecated from the start
	}
	return change(k.netns(side).Netlink, link, changed)
}

func (k *Kernel) changeRoute(side facts.Side, route facts.Route, change func(*netlink.Handle, *netlink.Route) error) error {
	index := 0
	if route.Dev != "" {
		var err error
		if index, err = k.index(side, route.Dev); err != nil {
			return err
		}
	}
	nlRoute := &netlink.Route{
		LinkIndex: index, Dst: facts.ToIPNet(route.Dst), Gw: toIP(route.Gw), Src: toIP(route.Src), Table: route.Table,
		Priority: route.Metric, MTU: route.MTU, AdvMSS: route.AdvMSS, Protocol: netlink.RouteProtocol(route.Proto),
		Scope: netlink.Scope(route.Scope), Type: max(route.Type, unix.RTN_UNICAST), Family: facts.KernelFamily(route.Family()),
	}
	if route.Onlink {
		nlRoute.Flags = unix.RTNH_F_ONLINK
	}
	return change(k.netns(side).Netlink, nlRoute)
}

// putRoute adds a route or replaces the one that was there. Two containers that get the same address at the same
// moment both find it free; the kernel decides who has it.
func (k *Kernel) putRoute(a plan.PutRoute) error {
	if !a.New {
		return k.changeRoute(a.Side, a.Route, (*netlink.Handle).RouteReplace)
	}
	err := k.changeRoute(a.Side, a.Route, (*netlink.Handle).RouteAdd)
	if errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("%s was routed to another container at the same moment: keep the IPAM ranges of two networks apart", a.Route.Dst.Addr())
	}
	return err
}

// dropRoute removes a route; one that is not there any more is none to remove.
func (k *Kernel) dropRoute(side facts.Side, route facts.Route) error {
	err := k.changeRoute(side, route, (*netlink.Handle).RouteDel)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}

func (k *Kernel) changeNeigh(side facts.Side, neigh facts.Neigh, change func(*netlink.Handle, *netlink.Neigh) error) error {
	index, err := k.index(side, neigh.Dev)
	if err != nil {
		return err
	}
	mac, err := net.ParseMAC(neigh.MAC)
	if err != nil && neigh.Permanent {
		return err
	}
	return change(k.netns(side).Netlink, &netlink.Neigh{
		LinkIndex: index, Family: facts.KernelFamily(facts.FamilyOf(neigh.IP)), State: unix.NUD_PERMANENT,
		IP: toIP(neigh.IP), HardwareAddr: mac,
	})
}

func toRule(rule facts.Rule) *netlink.Rule {
	nlRule := netlink.NewRule()
	nlRule.Family, nlRule.Priority, nlRule.Table = facts.KernelFamily(rule.Family), rule.Priority, rule.Table
	nlRule.Protocol = uint8(rule.Proto)
	if rule.Mark != 0 {
		nlRule.Mark, nlRule.Mask = rule.Mark, &rule.Mask
	}
	if rule.Src.IsValid() {
		nlRule.Src = facts.ToIPNet(rule.Src)
	}
	return nlRule
}

func toIP(addr netip.Addr) net.IP {
	if !addr.IsValid() {
		return nil
	}
	return addr.AsSlice()
}
