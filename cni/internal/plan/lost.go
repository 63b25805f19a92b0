package plan

import (
	"slices"

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

// recoverRoutes plans the routes of prevResult, but for default ones, that the interface has in no table any more, and
// goes on as if they were there: further tables get copies of them.
func (a *adder) recoverRoutes(family facts.Family) {
	dev := a.req.IfName
	for _, lost := range a.req.Routes {
		if facts.FamilyOf(lost.Dst.Addr()) != family || !a.onLink(dev, lost.Gw) {
			continue
		}
		there := func(route facts.Route) bool {
			return route.Dst == lost.Dst && (route.Dev == dev || route.Table == facts.TableMain)
		}
		if slices.ContainsFunc(a.facts.Pod.Routes, there) || slices.ContainsFunc(a.facts.Pod.Special, there) {
			continue
		}
		route := canonical(facts.Route{
			Dst: lost.Dst, Gw: lost.Gw, Dev: dev, Src: a.sourceOf(dev, family, facts.TableMain), Table: facts.TableMain,
		})
		a.awaitSource(facts.Pod, route)
		a.add(AddRoute{facts.Pod, route}, DropRoute{facts.Pod, route})
		recovered := *a.facts
		recovered.Pod.Routes = append(slices.Clone(a.facts.Pod.Routes), route)
		a.facts = &recovered
	}
}

// recoverFirst plans the default route of the first interface where it is in no table any more, not even the copy that
// stays when Multus deletes the route itself.
func (a *adder) recoverFirst(family facts.Family) {
	dev := a.req.IfName
	anywhere := func(route facts.Route) bool {
		return route.Dev == dev && route.IsDefault() && route.Family() == family
	}
	if slices.ContainsFunc(a.facts.Pod.Routes, anywhere) || slices.ContainsFunc(a.facts.Pod.Special, anywhere) {
		return
	}
	defaultDev, table := a.defaultRouteDev(family), facts.TableMain
	if defaultDev != "" {
		table = a.existingTable(dev)
	}
	if table != 0 {
		a.recoverDefault(family, defaultDev, table)
	}
}
