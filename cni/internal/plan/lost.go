package plan

import (
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// When a link is set down the kernel deletes its routes, and with IPv6 its addresses, in all tables. What the plugin
// before this one made is known by its result alone.

// withMissing are the facts with the addresses of prevResult that the interface has lost, and the routes that the
// kernel makes for them: CHECK names these, and nothing that only follows from it.
func (r *Request) withMissing(f *facts.Facts) *facts.Facts {
	missing := r.missing(f)
	if !r.Check || len(missing) == 0 {
		return f
	}
	complete := *f
	complete.Pod.Addrs, complete.Pod.Routes = slices.Clone(f.Pod.Addrs), slices.Clone(f.Pod.Routes)
	for _, prefix := range r.Prefixes {
		ip := prefix.Addr()
		if !slices.Contains(missing, ip) {
			continue
		}
		complete.Pod.Addrs = append(complete.Pod.Addrs, facts.Addr{Dev: r.IfName, Prefix: prefix})
		direct := facts.Route{Dst: prefix.Masked(), Dev: r.IfName, Table: facts.TableMain, Proto: facts.ProtoKernel, Metric: metricDirectIPv6}
		if ip.Is4() {
			direct.Src, direct.Scope, direct.Metric = ip, facts.ScopeLink, 0
		}
		known := func(route facts.Route) bool {
			return route.Table == direct.Table && route.Dst == direct.Dst && route.Dev == direct.Dev
		}
		if !slices.ContainsFunc(complete.Pod.Routes, known) && !(ip.Is4() && prefix.IsSingleIP()) {
			complete.Pod.Routes = append(complete.Pod.Routes, direct)
		}
	}
	return &complete
}

// metricDirectIPv6 is that of the kernel's routes for IPv6 addresses.
const metricDirectIPv6 = 256

// recoverRoutes plans the routes of prevResult, but for default ones, that the interface has in no table any more.
func (a *adder) recoverRoutes(family facts.Family) {
	dev := a.req.IfName
	for _, lost := range a.req.Routes {
		there := func(route facts.Route) bool {
			return route.Dst == lost.Dst && (route.Dev == dev || route.Table == facts.TableMain)
		}
		if facts.FamilyOf(lost.Dst.Addr()) == family && a.onLink(dev, lost.Gw) && !a.hasRoute(there) {
			a.reinstall(lost.Dst, lost.Gw)
		}
	}
}

// recoverFirst plans the default route of the first interface where it is in no table any more, not even the copy that
// stays when Multus deletes the route itself.
func (a *adder) recoverFirst(family facts.Family) {
	dev, gateway := a.req.IfName, a.req.Gateways[family]
	there := func(route facts.Route) bool {
		nowhere := route.Type != 0 && route.Table == facts.TableMain
		return (route.Dev == dev || nowhere) && route.IsDefault() && route.Family() == family
	}
	if !gateway.IsValid() || !a.onLink(dev, gateway) || a.hasRoute(there) {
		return
	}
	defaultDev := a.defaultRouteDev(family)
	if defaultDev == "" {
		a.reinstall(defaultDst(family), gateway)
	} else if table := a.existingTable(dev); table != 0 {
		a.recoverDefault(family, defaultDev, table)
	}
}

func (a *adder) hasRoute(match func(facts.Route) bool) bool {
	return slices.ContainsFunc(a.facts.Pod.Routes, match) || slices.ContainsFunc(a.facts.Pod.Special, match)
}

// reinstall plans a route of the interface as the plugin before this one makes it, and goes on as if it were there:
// further tables get copies of it. In IPv6 a source would be that of all next hops, and other interfaces add theirs.
func (a *adder) reinstall(dst netip.Prefix, gateway netip.Addr) {
	route := facts.Route{Dst: dst, Gw: gateway, Dev: a.req.IfName, Table: facts.TableMain, Proto: unix.RTPROT_BOOT}
	if route.Family() == facts.V6 {
		route.Metric = facts.MetricIPv6
	}
	a.add(AddRoute{facts.Pod, route}, DropRoute{facts.Pod, route})
	recovered := *a.facts
	recovered.Pod.Routes = append(slices.Clone(a.facts.Pod.Routes), route)
	a.facts = &recovered
}
