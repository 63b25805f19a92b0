package plan

import (
	"net/netip"
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// planSourceRouting plans source-based routing: an interface without the pod's default route gets a
// routing table that rules select by its addresses. It returns the table for further routes of the
// interface of this call.
func (a *adder) planSourceRouting(family facts.Family, via nexthop) int {
	defaultDev := a.defaultRouteDev(family)
	for _, dev := range a.sourceRoutedDevs(family, defaultDev, via) {
		a.planDevTable(dev, family, via)
		if dev != defaultDev {
			a.dropDefaults(dev, family)
		}
	}
	if defaultDev != "" {
		a.restoreDefault(defaultDev, family)
	}
	table := facts.TableMain
	if devTable, ok := a.tables[a.req.IfName]; ok {
		table = devTable
	}
	a.recoverDefault(family, defaultDev, table)
	return table
}

// recoverDefault plans the default route of the interface of this call when it was deleted from the
// table that it had been moved to, or never was there.
func (a *adder) recoverDefault(family facts.Family, defaultDev string, table int) {
	dev, gateway := a.req.IfName, a.req.Gateways[family]
	if !gateway.IsValid() || !a.onLink(dev, gateway) {
		return
	}
	if _, ok := a.defaultOf(dev, family); ok {
		return
	}
	tables := []int{table}
	if (defaultDev == "" || defaultDev == dev) && table != facts.TableMain {
		// And a copy of it, as for every route of the interface. The main table's is first: an ADD after a
		// crash between the two has the copy made of it.
		tables = []int{facts.TableMain, table}
	}
	for _, table := range tables {
		a.ensureRoute(facts.Pod, facts.Route{
			Dst: defaultDst(family), Gw: gateway, Dev: dev, Src: a.sourceOf(dev, family, table), Table: table,
		})
	}
}

// sourceRoutedDevs are the interfaces that need their own routing table.
func (a *adder) sourceRoutedDevs(family facts.Family, defaultDev string, via nexthop) []string {
	var devs, lost []string
	for _, link := range a.facts.Pod.Links {
		dev := link.Name
		if dev == "lo" || dev == facts.PodVeth || len(a.req.addresses(a.facts, dev, family)) == 0 {
			continue
		}
		if a.needsTable(dev, defaultDev, family) {
			devs = append(devs, dev)
		} else if _, ok := a.lostDefault(dev, family, via); ok {
			lost = append(lost, dev)
		}
	}
	return append(devs, lost...)
}

func (a *adder) needsTable(dev, defaultDev string, family facts.Family) bool {
	present, chosen := dev == a.req.IfName, dev == a.req.Config.DefaultRouteNIC
	switch {
	case a.attachedAfter(dev):
		return false
	case dev != defaultDev:
		return present || len(a.mainDefaults(dev, family)) > 0
	case !a.veth.AddedByCoordinator && dev == a.veth.PodDev:
		return true // replies of the cluster network's interface must not leave by another subnet's
	case present && !chosen:
		return true // it has the default route only because no other interface has one
	}
	return a.overlaps(dev, family)
}

// attachedAfter says, for CHECK, whether an interface came after the ADD, by a network without coordinator or with
// tunePodRoutes off: the ADD would have made it a table, and taken its default route.
func (a *adder) attachedAfter(dev string) bool {
	return a.req.Check && dev != a.req.IfName && dev != a.req.Config.First && dev != a.req.Config.DefaultRouteNIC && a.existingTable(dev) == 0
}

// overlaps says whether another interface has a route to the same network, or a default route is beside the
// interface's own that this plugin leaves as it is: then the main table cannot tell them apart. Policy routes do not
// count: they are added when that is decided.
func (a *adder) overlaps(dev string, family facts.Family) bool {
	stays := func(route facts.Route) bool {
		return route.Table == facts.TableMain && route.IsDefault() && route.Family() == family && route.Dev != dev
	}
	if slices.ContainsFunc(a.facts.Pod.Special, stays) {
		return true
	}
	for _, devRoute := range a.mainRoutes(dev, family) {
		for _, other := range a.facts.Pod.Routes {
			ours := devRoute.Proto == facts.Proto || other.Proto == facts.Proto
			if other.Table == facts.TableMain && other.Dst == devRoute.Dst && !devRoute.IsDefault() &&
				!ours && other.Dev != dev && other.Dev != a.veth.PodDev {
				return true
			}
		}
	}
	return false
}

// planDevTable adds the routes via the node, copies an interface's routes of the main table, and adds a
// rule for each address of the interface. Replies to marked connections come first anyway. Where both
// have the same destination, the way to the node goes before the interface's own, as in the main table.
func (a *adder) planDevTable(dev string, family facts.Family, via nexthop) {
	table := a.table(dev)
	if len(via.nodeAddrs) > 0 {
		for _, route := range a.nodeRoutes(via, table, a.sourceOf(dev, family, table)) {
			a.ensureRoute(facts.Pod, route)
		}
	}
	var direct, viaGateway []facts.Route
	for _, route := range a.mainRoutes(dev, family) {
		if dev == a.veth.PodDev && route.Proto == facts.Proto && !route.IsDefault() {
			continue // to the node, in overlay mode
		}
		route.Table = table
		if route.Gw.IsValid() {
			viaGateway = append(viaGateway, route)
			continue
		}
		direct = append(direct, route)
	}
	a.copyRoutes(direct)
	a.copyRoutes(viaGateway)
	if route, ok := a.lostDefault(dev, family, via); ok {
		route.Table = table
		a.ensureRoute(facts.Pod, route)
	}
	for _, ip := range a.req.addresses(a.facts, dev, family) {
		a.ensureRule(facts.Pod, facts.Rule{
			Family: family, Priority: PriorityFrom,
			Src: netip.PrefixFrom(ip, ip.BitLen()), Table: table,
		}, false)
	}
}

// copyRoutes puts routes with all their attributes into another table; several with one key stay several.
func (a *adder) copyRoutes(routes []facts.Route) {
	for _, route := range routes {
		if a.reserveRoute(facts.Pod, route) {
			a.ensureRoutes(facts.Pod, slices.DeleteFunc(slices.Clone(routes), func(other facts.Route) bool {
				return other.Dst != route.Dst || other.Metric != route.Metric
			}))
		}
	}
}

// dropDefaults takes an interface's default routes out of the main table.
func (a *adder) dropDefaults(dev string, family facts.Family) {
	for _, route := range a.mainDefaults(dev, family) {
		if route.Proto == facts.ProtoRA {
			// Otherwise the next router advertisement brings it back.
			a.ensureSysctl(facts.Pod, facts.SysctlV6(dev, "accept_ra_defrtr"), "0")
		}
		a.dropRoute(facts.Pod, route)
	}
}

// restoreDefault gives the main table the default route of the interface that shall hold it, when
// an earlier call moved it away.
func (a *adder) restoreDefault(dev string, family facts.Family) {
	route, ok := a.defaultOf(dev, family)
	if !ok || route.Table == facts.TableMain {
		return
	}
	route.Table = facts.TableMain
	a.add(AddRoute{facts.Pod, route}, DropRoute{facts.Pod, route})
}

// defaultOf finds an interface's default route, in the main table or where it was moved to.
func (a *adder) defaultOf(dev string, family facts.Family) (facts.Route, bool) {
	if defaults := a.mainDefaults(dev, family); len(defaults) > 0 {
		return defaults[0], true
	}
	table := a.existingTable(dev)
	for _, route := range a.facts.Pod.Routes {
		if table != 0 && route.Table == table && route.Dev == dev && route.IsDefault() && route.Family() == family {
			return route, true
		}
	}
	return facts.Route{}, false
}

// sharesDefault says whether an interface has a next hop of a default route of the main table that this
// plugin leaves as it is.
func (a *adder) sharesDefault(dev string, family facts.Family) bool {
	return slices.ContainsFunc(a.facts.Pod.Special, func(route facts.Route) bool {
		return route.Table == facts.TableMain && route.Dev == dev && route.IsDefault() && route.Type == 0 && route.Family() == family
	})
}

func (a *adder) mainDefaults(dev string, family facts.Family) []facts.Route {
	var defaults []facts.Route
	for _, route := range a.mainRoutes(dev, family) {
		if route.IsDefault() {
			defaults = append(defaults, route)
		}
	}
	return defaults
}

// mainRoutes are an interface's own routes in the main table.
func (a *adder) mainRoutes(dev string, family facts.Family) []facts.Route {
	var routes []facts.Route
	for _, route := range a.facts.Pod.Routes {
		local := route.Dst.Addr().IsLinkLocalUnicast() || route.Dst.Addr().IsMulticast()
		if route.Table == facts.TableMain && route.Dev == dev && route.Family() == family && !local {
			routes = append(routes, route)
		}
	}
	return routes
}
