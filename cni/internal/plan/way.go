package plan

import (
	"fmt"
	"net/netip"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// Priorities of the policy rules. The mark rule of the pod comes before every "from" rule: a reply
// to what came in through the node must go back there, whichever address it carries. The "from"
// rules come right before the main table and after the rule by which Istio's ambient mode (32764)
// brings the application's replies to its proxy: those carry the pod's addresses too.
const (
	PriorityHost = 1000
	PriorityMark = 1000
	PriorityFrom = 32765
)

// FirstTable is where private tables start, away from those of meshes (100) and of the sbr plugin
// (100 and up). A table that is in use by somebody else is passed over.
const FirstTable = 5000

const markOwner = "mark"

// way is how one family goes between pod and node.
type way struct {
	family facts.Family
	node   []netip.Addr // addresses of the node, the gateway first
	source netip.Addr   // preferred source in the pod; IPv6 leaves the choice to the kernel
}

// way finds out how the family goes; ok is false where the node does not speak it.
func (a *adder) way(family facts.Family) (found way, ok bool) {
	found.family = family
	first := a.req.addresses(a.facts, a.req.Config.First, family)
	if !a.leg.Private && len(first) == 0 {
		a.warn(fmt.Sprintf("interface %s has no %s address: %s traffic to the node and to services is not set up",
			a.leg.PodDev, family, family))
		return found, false
	}
	if len(first) == 0 {
		first = a.req.addresses(a.facts, a.req.IfName, family)
	}
	found.node = nodeAddresses(a.facts, family, first[0])
	if len(found.node) == 0 {
		a.warn(fmt.Sprintf("the node has no %s address: %s traffic to the node and to services is not set up", family, family))
		return found, false
	}
	if family == facts.V4 {
		found.source = first[0]
	}
	return found, true
}

func (w way) gateway() netip.Addr { return w.node[0] }

// planPodSide writes the routes and neighbours of the pod.
func (a *adder) planPodSide(w way) {
	for _, ip := range w.node {
		a.ensureNeigh(facts.Pod, facts.Neigh{Dev: a.leg.PodDev, IP: ip, MAC: a.leg.HostMAC})
	}
	for _, route := range a.legRoutes(w, facts.TableMain, w.source) {
		a.ensureRoute(facts.Pod, route)
	}
	if !a.leg.Private {
		return
	}
	table := a.table(markOwner)
	a.ensureRoute(facts.Pod, facts.Route{
		Dst: everything(w.family), Gw: w.gateway(), Dev: a.leg.PodDev, Src: w.source, Table: table,
	})
	a.ensureRule(facts.Pod, facts.Rule{
		Family: w.family, Priority: PriorityMark, Mark: facts.MarkBit, Mask: facts.MarkBit, Table: table,
	}, false)
	a.ensureMarks(w.family)
}

// legRoutes are the routes to the node and, through it, to the cluster.
func (a *adder) legRoutes(w way, table int, source netip.Addr) []facts.Route {
	var routes []facts.Route
	for _, ip := range w.node {
		routes = append(routes, facts.Route{
			Dst: netip.PrefixFrom(ip, ip.BitLen()), Dev: a.leg.PodDev, Src: source, Table: table, Scope: facts.ScopeLink,
		})
	}
	for _, cidr := range a.req.Config.CIDRs {
		if facts.FamilyOf(cidr.Addr()) != w.family {
			continue
		}
		if dev := a.connected(cidr); dev != "" {
			a.warn(fmt.Sprintf("CIDR %s is also the subnet of interface %s of the pod: it is not routed through the node", cidr, dev))
			continue
		}
		routes = append(routes, facts.Route{Dst: cidr, Gw: w.gateway(), Dev: a.leg.PodDev, Src: source, Table: table})
	}
	return routes
}

// connected returns the interface that has a route of its own to exactly that network.
func (a *adder) connected(cidr netip.Prefix) string {
	for _, route := range a.facts.Pod.Routes {
		if route.Table == facts.TableMain && route.Dst == cidr && route.Dev != a.leg.PodDev {
			return route.Dev
		}
	}
	return ""
}

// planHostSide writes the routes, neighbours and the rule of the node.
func (a *adder) planHostSide(w way) {
	table := a.req.Config.HostRuleTable
	for _, ip := range a.req.addresses(a.facts, a.req.IfName, w.family) {
		neigh := facts.Neigh{Dev: a.leg.HostDev, IP: ip, MAC: a.leg.PodMAC}
		a.dropForeignNeighs(neigh)
		a.ensureNeigh(facts.Host, neigh)
		a.ensureRoute(facts.Host, facts.Route{
			Dst: netip.PrefixFrom(ip, ip.BitLen()), Dev: a.leg.HostDev, Table: table, Scope: facts.ScopeLink,
		})
	}
	a.ensureRule(facts.Host, facts.Rule{Family: w.family, Priority: PriorityHost, Table: table}, true)
}

// table returns the private routing table of an owner: the one that a rule of ours already leads
// to, else the first that nobody uses.
func (a *adder) table(owner string) int {
	if table, known := a.tables[owner]; known {
		return table
	}
	table := a.existingTable(owner)
	if table == 0 {
		table = a.freeTable(owner)
	}
	a.tables[owner] = table
	return table
}

func (a *adder) existingTable(owner string) int {
	for _, rule := range a.facts.Pod.Rules {
		if rule.Proto != facts.Proto || rule.Foreign {
			continue
		}
		if owner == markOwner {
			if rule.Mark == facts.MarkBit && rule.Mask == facts.MarkBit {
				return rule.Table
			}
			continue
		}
		if rule.Src.IsValid() && a.holds(owner, rule.Src.Addr()) {
			return rule.Table
		}
	}
	return 0
}

func (a *adder) holds(dev string, ip netip.Addr) bool {
	for _, own := range a.req.addresses(a.facts, dev, facts.FamilyOf(ip)) {
		if own == ip {
			return true
		}
	}
	return false
}

func (a *adder) freeTable(owner string) int {
	used := map[int]bool{}
	for _, rule := range a.facts.Pod.Rules {
		used[rule.Table] = true
	}
	for _, route := range a.facts.Pod.Routes {
		used[route.Table] = true
	}
	for _, table := range a.tables {
		used[table] = true
	}
	table := FirstTable
	if owner != markOwner {
		table++ // the first one is kept for marks, so that tables read the same in every pod
	}
	for used[table] {
		table++
	}
	return table
}

func everything(family facts.Family) netip.Prefix {
	if family == facts.V6 {
		return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
}
