package plan

import (
	"fmt"
	"net/netip"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// planPolicyRoutes plans the static routes whose gateway is on-link on the interface of this call. The
// cluster's list applies to every interface, so an entry for another one is skipped.
func (a *adder) planPolicyRoutes(family facts.Family, table int) {
	dev := a.req.IfName
	for _, entry := range a.req.Config.PolicyRoutes {
		if facts.FamilyOf(entry.Gw) != family {
			continue
		}
		if !a.onLink(dev, entry.Gw) {
			a.warn(fmt.Sprintf("policy route %s via %s is left out for interface %s: it has no subnet with that router", entry.Dst, entry.Gw, dev))
			continue
		}
		if other, ok := a.routeBefore(entry.Dst, dev, table); ok {
			a.warn(fmt.Sprintf("policy route %s via %s is left out for interface %s: there is %s already", entry.Dst, entry.Gw, dev, other))
			continue
		}
		a.ensureRoute(facts.Pod, facts.Route{Dst: entry.Dst, Gw: entry.Gw, Dev: dev, Src: a.sourceOf(dev, family, table), Table: table})
	}
}

// routeBefore describes what goes before a policy route to the same destination: a route to the node, one
// of the interface's network or of another program, an entry earlier in the list, or a default route.
func (a *adder) routeBefore(dst netip.Prefix, dev string, table int) (string, bool) {
	wanted := canonical(facts.Route{Dst: dst, Dev: dev, Table: table})
	if a.plannedRoutes[routeKey{facts.Pod, wanted.Table, wanted.Dst, wanted.Metric}] {
		return "another route of the coordinator to it", true
	}
	for _, route := range a.routesLike(facts.Pod, wanted) {
		if route.Proto != facts.Proto {
			return "the route " + describeRoute(route), true
		}
	}
	if dst.Bits() == 0 {
		if route, ok := a.defaultOf(dev, wanted.Family()); ok && route.Proto != facts.Proto {
			return "the route " + describeRoute(route), true
		}
	}
	return "", false
}

// onLink says whether an address is on-link on an interface.
func (a *adder) onLink(dev string, ip netip.Addr) bool {
	for _, addr := range a.facts.Pod.Addrs {
		if addr.Dev == dev && addr.Prefix.Masked().Contains(ip) {
			return true
		}
	}
	for _, route := range a.facts.Pod.Routes {
		direct := !route.Gw.IsValid() && !route.IsDefault()
		if route.Table == facts.TableMain && route.Dev == dev && direct && route.Dst.Contains(ip) {
			return true
		}
	}
	return false
}
