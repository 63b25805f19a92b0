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
		if router, hides := a.hidesRouter(facts.Route{Dst: entry.Dst, Dev: dev, Gw: entry.Gw}); hides && table == facts.TableMain {
			a.warn(fmt.Sprintf("policy route %s via %s is left out for interface %s: the router %s is in it, and IPv6 takes a router for its routes "+
				"only where it is on-link", entry.Dst, entry.Gw, dev, router))
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
// of the interface's network or of another program, an entry earlier in the list or of another interface, or a
// default route.
func (a *adder) routeBefore(dst netip.Prefix, dev string, table int) (string, bool) {
	wanted := canonical(facts.Route{Dst: dst, Dev: dev, Table: table})
	if a.plannedRoutes[routeKey{facts.Pod, wanted.Table, wanted.Dst, wanted.Metric}] {
		return "another route of the coordinator to it", true
	}
	for _, route := range a.routesLike(facts.Pod, wanted) {
		if route.Proto != facts.Proto || route.Dev != dev {
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

// hidesRouter returns a router on the interface of a route which the route would bring behind a router: it is inside
// its destination, and the route there is more specific than the one by which the router is on-link. In IPv6 the
// kernel then takes no more routes by that router; in IPv4 it looks for on-link routes alone.
func (a *adder) hidesRouter(route facts.Route) (netip.Addr, bool) {
	if route.Family() != facts.V6 || !route.Gw.IsValid() || route.IsDefault() {
		return netip.Addr{}, false
	}
	routers := []netip.Addr{route.Gw}
	for _, entry := range a.req.Config.PolicyRoutes {
		routers = append(routers, entry.Gw)
	}
	for _, existing := range a.mainRoutes(route.Dev, facts.V6) {
		routers = append(routers, existing.Gw)
	}
	for _, router := range routers {
		if router.IsValid() && route.Dst.Contains(router) && a.onLink(route.Dev, router) && route.Dst.Bits() > a.onLinkBits(route.Dev, router) {
			return router, true
		}
	}
	return netip.Addr{}, false
}

// onLinkBits is the length of the longest prefix by which an address is on-link on an interface.
func (a *adder) onLinkBits(dev string, ip netip.Addr) int {
	longest := 0
	for _, addr := range a.facts.Pod.Addrs {
		if addr.Dev == dev && addr.Prefix.Masked().Contains(ip) {
			longest = max(longest, addr.Prefix.Bits())
		}
	}
	for _, route := range a.facts.Pod.Routes {
		if route.Table == facts.TableMain && route.Dev == dev && !route.Gw.IsValid() && !route.IsDefault() && route.Dst.Contains(ip) {
			longest = max(longest, route.Dst.Bits())
		}
	}
	return longest
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
