package plan

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// Beside a cluster network the pod's packets to the node, and by it to services, take the way that the
// network's own interface has already: what is at its other end may be a port of a bridge or of Open vSwitch,
// which forwards frames by their hardware address, or a link without such addresses. The node's packets to
// the pod take the device by which it reaches the pod already, so that a strict rp_filter finds the
// answers where it expects them.

// kindSwitch is the kind of Open vSwitch's internal ports.
const kindSwitch = "openvswitch"

// leg is the node's link that leads to the pod.
type leg struct {
	dev string
	mac string     // of the link; empty: it has none
	via netip.Addr // valid where the link leads to other pods too: the pod's address there
}

// useClusterLink selects the link of the cluster network.
func (a *adder) useClusterLink() error {
	dev, first := a.req.IfName, a.req.Config.First
	if a.req.first() {
		return fmt.Errorf("when creating interface %s in overlay mode, it detects that the current interface is first interface named %s, "+
			"this plugin should not work for it: use mode auto or underlay in the network of the first interface", dev, first)
	}
	if _, ok := a.facts.Pod.Link(facts.PodVeth); ok {
		return fmt.Errorf("when creating interface %s in overlay mode, it detects that the auxiliary interface %s of underlay mode exists: "+
			"the first interface works in underlay mode; use mode auto in this network too", dev, facts.PodVeth)
	}
	pod, ok := a.facts.Pod.Link(first)
	if !ok {
		return fmt.Errorf("when creating interface %s in overlay mode, the pod has no first interface named %s: "+
			"check podDefaultCniNic, and that the cluster network is attached first", dev, first)
	}
	a.veth = VethPair{PodDev: first, PodMAC: pod.MAC}
	host, ok := a.facts.Host.LinkByIndex(pod.Peer)
	switch {
	case ok && pod.Peer != 0 && isPairKind(pod.Kind):
		a.veth.HostDev, a.veth.HostMAC = host.Name, host.MAC
	case !a.onSwitch():
		return fmt.Errorf("when creating interface %s in overlay mode, the first interface %s (of kind %s) has no peer on the node: "+
			"if it is an underlay interface, enable the coordinator in its network", dev, first, pod.Kind)
	}
	return nil
}

// onSwitch says whether the node reaches the pod by a port of its own of Open vSwitch.
func (a *adder) onSwitch() bool {
	for _, route := range a.facts.ToFirst {
		if link, ok := a.facts.Host.Link(route.Dev); ok && link.Kind == kindSwitch && !route.Gw.IsValid() {
			return true
		}
	}
	return false
}

// clusterLeg is the node's end of the cluster network's pair or, where that is a port of a bridge or
// switch, the device by which the node reaches the pod, with the pod's address there as the next hop. The
// switch knows that address, and it stays known: a bridge loses its permanent neighbours when its hardware
// address changes, as it does with its ports. A router in between knows nothing of the pod's further
// addresses: then it is the port after all.
func (a *adder) clusterLeg(family facts.Family) leg {
	port, paired := a.facts.Host.Link(a.veth.HostDev)
	if paired && port.Master == 0 {
		return leg{dev: port.Name, mac: port.MAC}
	}
	route, ok := a.facts.ToFirst[family]
	if link, found := a.facts.Host.Link(route.Dev); ok && found && !route.Gw.IsValid() {
		return leg{link.Name, link.MAC, route.Dst.Addr()}
	}
	return leg{dev: port.Name, mac: port.MAC}
}

// clusterRoute is the route to a destination by the next hop that the cluster network's interface has for
// it, without source and table; ok is false where that has none.
func (a *adder) clusterRoute(dst netip.Prefix) (route facts.Route, ok bool) {
	best, ok := a.clusterNexthop(dst)
	if !ok {
		return facts.Route{}, false
	}
	route = facts.Route{Dst: dst, Dev: best.Dev, Gw: best.Gw, MTU: best.MTU, AdvMSS: best.AdvMSS, Onlink: best.Onlink}
	if !route.Gw.IsValid() {
		route.Scope = facts.ScopeLink
	}
	return route, true
}

// clusterNexthop is the most specific route of the cluster network's interface to a destination, its default
// route where an earlier ADD moved that to a table, else any that names a router: Multus deletes the default
// one alone. Routes of this plugin are none of these.
func (a *adder) clusterNexthop(dst netip.Prefix) (best facts.Route, ok bool) {
	family, dev := facts.FamilyOf(dst.Addr()), a.veth.PodDev
	var router facts.Route
	for _, route := range slices.Concat(a.mainRoutes(dev, family), a.sharedRoutes(dev, family)) {
		if route.Proto == facts.Proto {
			continue
		}
		if route.Gw.IsValid() && !router.Gw.IsValid() {
			router = route
		}
		covers := route.Dst.Bits() <= dst.Bits() && route.Dst.Contains(dst.Addr())
		if covers && (!ok || route.Dst.Bits() > best.Dst.Bits()) && a.leadsTo(route, dst) {
			best, ok = route, true
		}
	}
	if ok {
		return best, true
	}
	if moved, found := a.defaultOf(dev, family); found && moved.Proto != facts.Proto {
		return moved, true
	}
	return router, router.Gw.IsValid()
}

// sharedRoutes are the next hops of an interface in routes of the main table that have several: each of them leads
// there.
func (a *adder) sharedRoutes(dev string, family facts.Family) []facts.Route {
	var hops []facts.Route
	for _, route := range a.facts.Pod.Special {
		plain := route.Type == 0 && route.Gw.IsValid() && facts.FamilyOf(route.Gw) == family
		if plain && route.Table == facts.TableMain && route.Dev == dev && route.Family() == family {
			hops = append(hops, route)
		}
	}
	return hops
}

// leadsTo says whether a route that covers a destination leads there: behind the node nobody answers for a
// network that is not on-link, unless the interface has no router at all.
func (a *adder) leadsTo(route facts.Route, dst netip.Prefix) bool {
	return route.Gw.IsValid() || route.IsDefault() || dst.IsSingleIP()
}

// onLinkOnly says whether the pod reaches an address of the node without a router, and without knowing its
// hardware address from the cluster network.
func (a *adder) onLinkOnly(ip netip.Addr) bool {
	if a.veth.AddedByCoordinator {
		return true
	}
	_, ok := a.clusterNexthop(netip.PrefixFrom(ip, ip.BitLen()))
	return !ok
}

// routedByCluster says whether the cluster network's interface has a route of another program to exactly
// that destination in the main table.
func (a *adder) routedByCluster(dst netip.Prefix) bool {
	if a.veth.AddedByCoordinator {
		return false
	}
	for _, route := range a.mainRoutes(a.veth.PodDev, facts.FamilyOf(dst.Addr())) {
		if route.Dst == dst && route.Proto != facts.Proto {
			return true
		}
	}
	return false
}
