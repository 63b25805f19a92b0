package plan

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// Priorities of the policy rules. The mark rule of the pod comes before every "from" rule: a reply
// to what came in through the node must return there, whatever its source address. The "from"
// rules come right before the main table and after the rule by which Istio's ambient mode (32764)
// brings the application's replies to its proxy: those carry the pod's addresses too.
const (
	PriorityHost = 1000
	PriorityMark = 1000
	PriorityFrom = 32765
	// PriorityLast comes after the main table (32766) and the default one (32767): a pod without default route
	// finds a way for its replies, so that they get their mark at all.
	PriorityLast = 32768
)

// nexthop is the node as the pod's nexthop in one family.
type nexthop struct {
	family    facts.Family
	nodeAddrs []netip.Addr // addresses of the node, the gateway first
	source    netip.Addr   // preferred source in the pod
	toPod     leg          // the node's way to the pod
}

// resolveNexthop selects the nexthop of a family; ok is false where pod or node has no address in it.
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
	if !a.veth.AddedByCoordinator {
		via.toPod = a.clusterLeg(family)
	} else {
		via.toPod = leg{dev: a.veth.HostDev, mac: a.veth.HostMAC}
	}
	if via.toPod.dev == "" {
		a.warn(fmt.Sprintf("the node has no route to the %s address of interface %s: %s traffic between pod and node is not set up",
			family, a.veth.PodDev, family))
		return via, false
	}
	if family == facts.V6 && !a.veth.AddedByCoordinator && a.facts.Host.Sysctls[facts.SysctlV6(via.toPod.dev, "disable_ipv6")] == "1" {
		a.warn(fmt.Sprintf("IPv6 is disabled on link %s of the node, which is the cluster network's: IPv6 traffic between pod and node is not set up", via.toPod.dev))
		return via, false
	}
	via.source = a.nodeSource(family)
	return via, true
}

func (n nexthop) gateway() netip.Addr { return n.nodeAddrs[0] }

// planPodSide plans the pod's routes, neighbours and mark rules.
func (a *adder) planPodSide(via nexthop) {
	routes := a.nodeRoutes(via, facts.TableMain, via.source)
	for _, ip := range via.nodeAddrs {
		if via.toPod.mac != "" && a.onLinkOnly(ip) {
			a.ensureNeigh(facts.Pod, facts.Neigh{Dev: a.veth.PodDev, IP: ip, MAC: via.toPod.mac})
		}
	}
	for _, route := range routes {
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
	a.ensureRule(facts.Pod, facts.Rule{Family: via.family, Priority: PriorityLast, Table: table}, false)
	a.ensureMarks(via.family)
}

// nodeRoutes are the routes to the node and, via the node, to the cluster's CIDRs.
func (a *adder) nodeRoutes(via nexthop, table int, source netip.Addr) []facts.Route {
	var routes []facts.Route
	for _, ip := range via.nodeAddrs {
		if dst := netip.PrefixFrom(ip, ip.BitLen()); table != facts.TableMain || !a.routedByCluster(dst) {
			routes = append(routes, a.toNode(via, dst))
		}
	}
	for _, cidr := range a.req.Config.CIDRs {
		if facts.FamilyOf(cidr.Addr()) != via.family {
			continue
		}
		if cidr.Bits() == 0 {
			a.warn(fmt.Sprintf("CIDR %s is the pod's default route: it is not routed through the node; name the networks that shall be", cidr))
			continue
		}
		if a.routedByCluster(cidr) {
			if table != facts.TableMain {
				routes = append(routes, a.toNode(via, cidr))
			}
			continue
		}
		if dev := a.connected(cidr); dev != "" {
			a.warn(fmt.Sprintf("CIDR %s is also the subnet of interface %s of the pod: it is not routed through the node", cidr, dev))
			continue
		}
		route := a.toNode(via, cidr)
		if router, hides := a.hidesRouter(route); hides && !a.veth.AddedByCoordinator {
			a.warn(fmt.Sprintf("CIDR %s is not routed through the node: %s, the router of interface %s, is in it, and IPv6 takes a router for its routes "+
				"only where it is on-link", cidr, router, route.Dev))
			continue
		}
		routes = append(routes, route)
	}
	for i := range routes {
		routes[i].Src, routes[i].Table = source, table
	}
	return routes
}

// toNode is the route to an address of the node or, via the node, to a CIDR, without source and table.
func (a *adder) toNode(via nexthop, dst netip.Prefix) facts.Route {
	if !a.veth.AddedByCoordinator {
		if route, ok := a.clusterRoute(dst); ok {
			return route
		}
	}
	route := facts.Route{Dst: dst, Dev: a.veth.PodDev, Gw: via.gateway()}
	if slices.Contains(via.nodeAddrs, dst.Addr()) && dst.IsSingleIP() {
		route.Gw, route.Scope = netip.Addr{}, facts.ScopeLink
	}
	return route
}

// connected returns an interface that has another program's route to exactly that CIDR.
func (a *adder) connected(cidr netip.Prefix) string {
	for _, route := range slices.Concat(a.facts.Pod.Routes, a.facts.Pod.Special) {
		if route.Table == facts.TableMain && route.Dst == cidr && route.Type == 0 && (route.Dev != a.veth.PodDev || route.Proto != facts.Proto) {
			return route.Dev
		}
	}
	return ""
}

// planHostSide plans the node's routes, neighbours and rule.
func (a *adder) planHostSide(via nexthop) {
	table := a.req.Config.HostRuleTable
	for _, ip := range a.req.addresses(a.facts, a.req.IfName, via.family) {
		route := facts.Route{
			Dst: netip.PrefixFrom(ip, ip.BitLen()), Dev: via.toPod.dev, Gw: via.toPod.via, Src: via.gateway(), Table: table,
		}
		if !route.Gw.IsValid() {
			route.Scope = facts.ScopeLink
		}
		if !a.veth.AddedByCoordinator {
			route.Metric = RouteMetric(a.req.ContainerID, a.req.IfName)
		}
		if route.Gw.IsValid() {
			a.planHostNeighs(ip, via.toPod) // GC takes a route without it for a dead pod's
		}
		a.ensureRoute(facts.Host, route)
		a.dropStaleRoutes(route)
		if !route.Gw.IsValid() {
			a.planHostNeighs(ip, via.toPod)
		}
	}
	a.ensureRule(facts.Host, facts.Rule{Family: via.family, Priority: PriorityHost, Table: table}, true)
}

// planHostNeighs plans the node's neighbour of an address of the pod: no ARP, and in IPv6 the pod would not
// answer for an address of another interface. On the pod's port of a bridge or switch no route uses it, but it
// goes with the port and says, while it is there, whose the address is.
func (a *adder) planHostNeighs(ip netip.Addr, toPod leg) {
	port := toPod.dev
	if toPod.via.IsValid() {
		port = a.veth.HostDev
	}
	a.dropForeignNeighs(ip, port)
	if port != "" && a.veth.PodMAC != "" { // netkit pairs are point to point
		a.ensureNeigh(facts.Host, facts.Neigh{Dev: port, IP: ip, MAC: a.veth.PodMAC})
	}
}

func defaultDst(family facts.Family) netip.Prefix {
	if family == facts.V6 {
		return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
}
