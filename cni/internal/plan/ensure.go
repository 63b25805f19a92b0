package plan

import (
	"net/netip"
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// builder collects the operations that are missing between the facts and what is wanted. Each
// ensure method adds nothing where the facts are already as wanted.
type builder struct {
	facts    *facts.Facts
	ops      []Op
	warnings []string
	planned  map[routeKey]bool
}

// routeKey is what the kernel tells routes apart by when it replaces one.
type routeKey struct {
	side   facts.Side
	table  int
	dst    netip.Prefix
	metric int
}

// claim says whether nothing else in this plan puts a route of the same key.
func (b *builder) claim(side facts.Side, route facts.Route) bool {
	key := routeKey{side, route.Table, route.Dst, route.Metric}
	if b.planned[key] {
		return false
	}
	if b.planned == nil {
		b.planned = map[routeKey]bool{}
	}
	b.planned[key] = true
	return true
}

func (b *builder) add(do, undo Action) { b.ops = append(b.ops, Op{do, undo}) }

// ensureAddr adds an address.
func (b *builder) ensureAddr(side facts.Side, addr facts.Addr) {
	for _, found := range b.facts.Space(side).Addrs {
		if found.Dev == addr.Dev && found.Prefix == addr.Prefix {
			return
		}
	}
	b.add(PutAddr{side, addr}, DropAddr{side, addr})
}

// ensureRoute adds a route, in place of a different one with the same key.
func (b *builder) ensureRoute(side facts.Side, route facts.Route) {
	route.Proto = facts.Proto
	if route.Family() == facts.V6 && route.Metric == 0 {
		route.Metric = facts.MetricIPv6
	}
	if route.Family() == facts.V6 {
		route.Scope = facts.ScopeUniverse // IPv6 routes have no scope
	}
	var undo Action = DropRoute{side, route}
	for _, found := range b.facts.Space(side).Routes {
		if found == route {
			return
		}
		if found.Table == route.Table && found.Dst == route.Dst && found.Metric == route.Metric {
			undo = PutRoute{side, found}
		}
	}
	if b.claim(side, route) {
		b.add(PutRoute{side, route}, undo)
	}
}

// dropRoute removes a route that is there.
func (b *builder) dropRoute(side facts.Side, route facts.Route) {
	b.add(DropRoute{side, route}, AddRoute{side, route})
}

// ensureRule adds a policy rule. A shared rule serves other pods too and stays when a plan is undone.
func (b *builder) ensureRule(side facts.Side, rule facts.Rule, shared bool) {
	rule.Proto = facts.Proto
	for _, found := range b.facts.Space(side).Rules {
		found.Proto = rule.Proto
		if found == rule {
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
	for _, found := range b.facts.Space(side).Neighs {
		if found == neigh {
			return
		}
		if found.Dev == neigh.Dev && found.IP == neigh.IP && found.Permanent {
			undo = PutNeigh{side, found}
		}
	}
	b.add(PutNeigh{side, neigh}, undo)
}

// dropForeignNeighs removes entries for the same address on other links: they would send the
// node's packets to a machine that held the address before.
func (b *builder) dropForeignNeighs(neigh facts.Neigh) {
	for _, found := range b.facts.Host.Neighs {
		if found.IP != neigh.IP || found.Dev == neigh.Dev {
			continue
		}
		var undo Action
		if found.Permanent {
			undo = PutNeigh{facts.Host, found}
		}
		b.add(DropNeigh{facts.Host, found}, undo)
	}
}

// ensureSysctl writes a value where it differs or cannot be known yet.
func (b *builder) ensureSysctl(side facts.Side, key, value string) {
	found, known := b.facts.Space(side).Sysctls[key]
	if known && found == value {
		return
	}
	var undo Action
	if known {
		undo = SetSysctl{side, key, found}
	}
	b.add(SetSysctl{side, key, value}, undo)
}

func (b *builder) ensureUp(side facts.Side, dev string) {
	link, known := b.facts.Space(side).Link(dev)
	switch {
	case known && link.Up:
	case known:
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
