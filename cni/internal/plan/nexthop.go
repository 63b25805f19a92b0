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

const markTableOwner = "mark"

// nexthop is how one family goes between pod and node.
type nexthop struct {
	family    facts.Family
	nodeAddrs []netip.Addr // addresses of the node, the gateway first
	source    netip.Addr   // preferred source in the pod; IPv6 leaves the choice to the kernel
}

// resolveNexthop finds out how the family goes; ok is false where the node does not speak it.
func (a *adder) resolveNexthop(family facts.Family) (via nexthop, ok bool) {
	via.family = family
	first := a.req.addresses(a.facts, a.req.Config.First, family)
	if !a.veth.AddedByCoordinator && len(first) == 0 {
		a.warn(fmt.Sprintf("interface %s has no %s address: %s traffic to the node and to services is not set up",
			a.veth.PodDev, family, family))
		return via, false
	}
	if len(first) == 0 {
		first = a.req.addresses(a.facts, a.req.IfName, family)
	}
	via.nodeAddrs = nodeAddresses(a.facts, family, first[0])
	if len(via.nodeAddrs) == 0 {
		a.warn(fmt.Sprintf("the node has no %s address: %s traffic to the node and to services is not set up", family, family))
		return via, false
	}
	if family == facts.V4 {
		via.source = first[0]
	}
	return via, true
}

func (n nexthop) gateway() netip.Addr { return n.nodeAddrs[0] }

// planPodSide writes the routes and neighbours of the pod.
func (a *adder) planPodSide(via nexthop) {
	for _, ip := range via.nodeAddrs {
		a.ensureNeigh(facts.Pod, facts.Neigh{Dev: a.veth.PodDev, IP: ip, MAC: a.veth.HostMAC})
	}
	for _, route := range a.nodeRoutes(via, facts.TableMain, via.source) {
		a.ensureRoute(facts.Pod, route)
	}
	if !a.veth.AddedByCoordinator {
		return
	}
	table := a.table(markTableOwner)
	a.ensureRoute(facts.Pod, facts.Route{
		Dst: defaultDst(via.family), Gw: via.gateway(), Dev: a.veth.PodDev, Src: via.source, Table: table,
	})
	a.ensureRule(facts.Pod, facts.Rule{
		Family: via.family, Priority: PriorityMark, Mark: facts.MarkBit, Mask: facts.MarkBit, Table: table,
	}, false)
	a.ensureMarks(via.family)
}

// nodeRoutes are the routes to the node and, through it, to the cluster.
func (a *adder) nodeRoutes(via nexthop, table int, source netip.Addr) []facts.Route {
	var routes []facts.Route
	for _, ip := range via.nodeAddrs {
		routes = append(routes, facts.Route{
			Dst: netip.PrefixFrom(ip, ip.BitLen()), Dev: a.veth.PodDev, Src: source, Table: table, Scope: facts.ScopeLink,
		})
	}
	for _, cidr := range a.req.Config.CIDRs {
		if facts.FamilyOf(cidr.Addr()) != via.family {
			continue
		}
		if dev := a.connected(cidr); dev != "" {
			a.warn(fmt.Sprintf("CIDR %s is also the subnet of interface %s of the pod: it is not routed through the node", cidr, dev))
			continue
		}
		routes = append(routes, facts.Route{Dst: cidr, Gw: via.gateway(), Dev: a.veth.PodDev, Src: source, Table: table})
	}
	return routes
}

// connected returns the interface that has a route of its own to exactly that network.
func (a *adder) connected(cidr netip.Prefix) string {
	for _, route := range a.facts.Pod.Routes {
		if route.Table == facts.TableMain && route.Dst == cidr && route.Dev != a.veth.PodDev {
			return route.Dev
		}
	}
	return ""
}

// planHostSide writes the routes, neighbours and the rule of the node.
func (a *adder) planHostSide(via nexthop) {
	table := a.req.Config.HostRuleTable
	for _, ip := range a.req.addresses(a.facts, a.req.IfName, via.family) {
		neigh := facts.Neigh{Dev: a.veth.HostDev, IP: ip, MAC: a.veth.PodMAC}
		a.dropForeignNeighs(neigh)
		a.ensureNeigh(facts.Host, neigh)
		a.ensureRoute(facts.Host, facts.Route{
			Dst: netip.PrefixFrom(ip, ip.BitLen()), Dev: a.veth.HostDev, Table: table, Scope: facts.ScopeLink,
		})
	}
	a.ensureRule(facts.Host, facts.Rule{Family: via.family, Priority: PriorityHost, Table: table}, true)
}

// table returns the private routing table of an owner: the one that a rule of ours already leads
// to, else the first that nobody uses.
func (a *adder) table(owner string) int {
	if table, ok := a.tables[owner]; ok {
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
		if owner == markTableOwner {
			if rule.Mark == facts.MarkBit && rule.Mask == facts.MarkBit {
				return rule.Table
			}
			continue
		}
		if rule.Src.IsValid() && a.hasAddress(owner, rule.Src.Addr()) {
			return rule.Table
		}
	}
	return 0
}

func (a *adder) hasAddress(dev string, ip netip.Addr) bool {
	for _, addr := range a.req.addresses(a.facts, dev, facts.FamilyOf(ip)) {
		if addr == ip {
			return true
		}
	}
	return false
}

func (a *adder) freeTable(owner string) int {
	inUse := map[int]bool{}
	for _, rule := range a.facts.Pod.Rules {
		inUse[rule.Table] = true
	}
	for _, route := range a.facts.Pod.Routes {
		inUse[route.Table] = true
	}
	for _, table := range a.tables {
		inUse[table] = true
	}
	table := FirstTable
	if owner != markTableOwner {
		table++ // the first one is kept for marks, so that tables read the same in every pod
	}
	for inUse[table] {
		table++
	}
	return table
}

func defaultDst(family facts.Family) netip.Prefix {
	if family == facts.V6 {
		return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
}
