package plan

import (
	"net/netip"
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// builder collects the operations that make the observed state the desired one. Each ensure method
// adds nothing where they are equal.
type builder struct {
	facts         *facts.Facts
	ops           []Op
	warnings      []string
	plannedRoutes map[routeKey]bool
	awaited       []netip.Addr // sources that the plan waits for
}

// routeKey is the kernel's key of a route: NLM_F_REPLACE replaces the one with the same key.
type routeKey struct {
	side   facts.Side
	table  int
	dst    netip.Prefix
	metric int
}

// reserveRoute reserves a route's key; false where this plan already has a route with that key.
func (b *builder) reserveRoute(side facts.Side, route facts.Route) bool {
	key := routeKey{side, route.Table, route.Dst, route.Metric}
	if b.plannedRoutes[key] {
		return false
	}
	if b.plannedRoutes == nil {
		b.plannedRoutes = map[routeKey]bool{}
	}
	b.plannedRoutes[key] = true
	return true
}

func (b *builder) add(do, undo Action) { b.ops = append(b.ops, Op{do, undo}) }

// ensureAddr adds an address.
func (b *builder) ensureAddr(side facts.Side, addr facts.Addr) {
	for _, existing := range b.facts.Of(side).Addrs {
		if existing.Dev == addr.Dev && existing.Prefix == addr.Prefix {
			return
		}
	}
	b.add(PutAddr{side, addr}, DropAddr{side, addr})
}

// canonical is a route of this plugin as the kernel stores it.
func canonical(route facts.Route) facts.Route {
	route.Proto = facts.Proto
	if route.Family() == facts.V6 {
		route.Scope = facts.ScopeUniverse // IPv6 routes have no scope
		if route.Metric == 0 {
			route.Metric = facts.MetricIPv6
		}
	}
	return route
}

// ensureRoute adds a route, in place of different ones with the same key.
func (b *builder) ensureRoute(side facts.Side, route facts.Route) {
	route = canonical(route)
	if b.reserveRoute(side, route) {
		b.ensureRoutes(side, []facts.Route{route})
		b.dropHiding(side, route)
	}
}

// dropHiding removes blackholes and their like to exactly the destination of a route that the kernel would
// prefer to it. The one with the same metric is replaced.
func (b *builder) dropHiding(side facts.Side, route facts.Route) {
	for _, existing := range b.facts.Of(side).Typed() {
		if existing.Table == route.Table && existing.Dst == route.Dst && existing.Metric < route.Metric {
			b.dropRoute(side, existing)
		}
	}
}

// ensureRoutes adds routes with the same key, and removes others with it. One route replaces one other;
// where there are more, replacing would hit the wrong one, so they are added and removed singly.
func (b *builder) ensureRoutes(side facts.Side, desired []facts.Route) {
	existing := b.routesLike(side, desired[0])
	missing := without(desired, existing)
	surplus := without(existing, desired)
	for _, route := range missing {
		b.awaitSource(side, route)
	}
	if len(desired) == 1 && len(missing) == 1 && len(existing) <= 1 {
		var undo Action = DropRoute{side, missing[0]}
		if len(surplus) == 1 {
			undo = PutRoute{Side: side, Route: surplus[0]}
		}
		b.add(PutRoute{Side: side, Route: missing[0], New: side == facts.Host && len(existing) == 0}, undo)
		return
	}
	for _, route := range missing {
		b.add(AddRoute{side, route}, DropRoute{side, route})
	}
	for _, route := range surplus {
		b.dropRoute(side, route)
	}
}

// routesLike are the observed routes with the key of another one, of any type.
func (b *builder) routesLike(side facts.Side, route facts.Route) []facts.Route {
	var like []facts.Route
	state := b.facts.Of(side)
	for _, existing := range slices.Concat(state.Routes, state.Typed()) {
		if existing.Table == route.Table && existing.Dst == route.Dst && existing.Metric == route.Metric {
			like = append(like, existing)
		}
	}
	return like
}

func without(routes, others []facts.Route) []facts.Route {
	return slices.DeleteFunc(slices.Clone(routes), func(route facts.Route) bool { return slices.Contains(others, route) })
}

// dropRoute removes a route that is there.
func (b *builder) dropRoute(side facts.Side, route facts.Route) {
	b.add(DropRoute{side, route}, AddRoute{side, route})
}

// ensureRule adds a policy rule. A shared rule serves other pods too and is not rolled back.
func (b *builder) ensureRule(side facts.Side, rule facts.Rule, shared bool) {
	rule.Proto = facts.Proto
	for _, existing := range b.facts.Of(side).Rules {
		existing.Proto = rule.Proto
		if existing == rule {
			return
		}
	}
	if shared {
		b.add(PutRule{side, rule}, nil)
		return
	}
	b.add(PutRule{side, rule}, DropRule{side, rule})
}

// ensureNeigh makes an entry permanent with that hardware address.
func (b *builder) ensureNeigh(side facts.Side, neigh facts.Neigh) {
	neigh.Permanent = true
	var undo Action = DropNeigh{side, neigh}
	for _, existing := range b.facts.Of(side).Neighs {
		if existing == neigh {
			return
		}
		if existing.Dev == neigh.Dev && existing.IP == neigh.IP && existing.Permanent {
			undo = PutNeigh{side, existing}
		}
	}
	b.add(PutNeigh{side, neigh}, undo)
}

// dropForeignNeighs removes entries for the same address on other links: they would send the
// node's packets to a machine that held the address before.
func (b *builder) dropForeignNeighs(ip netip.Addr, dev string) {
	for _, existing := range b.facts.Host.Neighs {
		if existing.IP != ip || existing.Dev == dev {
			continue
		}
		var undo Action
		if existing.Permanent {
			undo = PutNeigh{facts.Host, existing}
		}
		b.add(DropNeigh{facts.Host, existing}, undo)
	}
}

// ensureSysctl sets a value where it differs or has not been read.
func (b *builder) ensureSysctl(side facts.Side, key, value string) {
	existing, ok := b.facts.Of(side).Sysctls[key]
	if ok && existing == value {
		return
	}
	var undo Action
	if ok {
		undo = SetSysctl{side, key, existing}
	}
	b.add(SetSysctl{side, key, value}, undo)
}

func (b *builder) ensureUp(side facts.Side, dev string) {
	link, exists := b.facts.Of(side).Link(dev)
	switch {
	case exists && link.Up:
	case exists:
		b.add(SetUp{side, dev, true}, SetUp{side, dev, false})
	default:
		b.add(SetUp{side, dev, true}, nil)
	}
}

func (b *builder) ensureMarks(family facts.Family) {
	switch b.facts.Pod.Marks[family] {
	case facts.MarksComplete:
	case facts.MarksBroken:
		b.add(PutMarks{family, true}, nil)
	case facts.MarksAbsent:
		b.add(PutMarks{family, false}, DropMarks{family})
	}
}

func (b *builder) warn(text string) {
	if !slices.Contains(b.warnings, text) {
		b.warnings = append(b.warnings, text)
	}
}
