package doctor

import (
	"net/netip"
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/config"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/prevresult"
)

// Attachment is an interface of a pod that the plugin connected, with what its ADD would observe now.
type Attachment struct {
	Request  *plan.Request
	Observed *facts.Facts
}

// underlay says whether a pod has, or had, a veth pair of this plugin.
func (p *Pod) underlay() bool {
	_, paired := vethOwner(p.Veth)
	return paired || slices.ContainsFunc(p.State.Rules, func(rule facts.Rule) bool {
		return rule.Proto == facts.Proto && rule.Mark == facts.MarkBit
	})
}

// first is the name of a pod's first interface, and toNode that of its end of the pair to the node.
func (p *Pod) first() (first, toNode string) {
	owner, paired := vethOwner(p.Veth)
	switch {
	case paired:
		return owner.IfName, facts.PodVeth
	case p.underlay():
		return config.DefaultFirst, facts.PodVeth
	}
	return config.DefaultFirst, config.DefaultFirst
}

// requests are ADDs for the interfaces of a pod that the plugin connected, as far as that follows from what it
// left: the networks' own sections are not known here. What all of an ADD's entries of one kind would have to
// say is taken from the rest of them, so that one that is gone is missed.
func (p *Pod) requests(node *Node) []*plan.Request {
	first, toNode := p.first()
	if link, ok := p.State.Link(toNode); !ok || !link.Up {
		return nil // its entries went with it
	}
	cfg := config.Config{
		Mode: config.ModeOverlay, First: first, PodRPFilter: -1, TunePodRoutes: p.tuned(toNode),
		DefaultRouteNIC: p.defaultRouteNIC(),
	}
	if p.underlay() {
		cfg.Mode = config.ModeUnderlay
		veth, _ := p.State.Link(facts.PodVeth)
		cfg.VethMTU = veth.MTU
	}
	var requests []*plan.Request
	for _, link := range p.State.Links {
		if !p.connected(node.State, link.Name) {
			continue
		}
		own := cfg
		own.HostRuleTable, own.CIDRs = p.hostTable(node, link.Name), p.networks(node, link.Name)
		request := &plan.Request{Config: &own, ContainerID: p.container(node, link.Name), IfName: link.Name, Check: true}
		if result, ok := node.Results[resultKey(request.ContainerID, link.Name)]; ok {
			request.Prefixes = prevresult.Prefixes(result, link.Name)
			request.Addresses = prevresult.Addresses(request.Prefixes)
			request.Gateways, request.Routes = prevresult.Routes(result)
		}
		requests = append(requests, request)
	}
	return requests
}

// connected says whether the plugin connected an interface of the pod: the first one of a pod with a veth pair,
// and every other one that the pod or the node has something of this plugin for.
func (p *Pod) connected(host *facts.NetnsState, dev string) bool {
	first, _ := p.first()
	addrs := plan.UsableAddresses(p.State, dev)
	switch {
	case dev == "lo" || dev == facts.PodVeth || len(addrs) == 0:
		return false
	case dev == first:
		return p.underlay()
	}
	has := func(ip netip.Addr) bool { return slices.Contains(addrs, ip) }
	return slices.ContainsFunc(p.State.Rules, func(rule facts.Rule) bool { return rule.Proto == facts.Proto && has(rule.Src.Addr()) }) ||
		slices.ContainsFunc(p.State.Routes, func(route facts.Route) bool {
			return route.Proto == facts.Proto && route.Table > plan.FirstTable && has(route.Src)
		}) ||
		slices.ContainsFunc(podRoutes(host), func(route facts.Route) bool { return has(route.Dst.Addr()) }) ||
		slices.ContainsFunc(host.Neighs, func(neigh facts.Neigh) bool { return neigh.Permanent && neigh.Dev == p.Veth.Name && has(neigh.IP) })
}

// tuned says whether the pod has tables for further interfaces.
func (p *Pod) tuned(toNode string) bool {
	return slices.ContainsFunc(p.State.Rules, func(rule facts.Rule) bool { return rule.Proto == facts.Proto && rule.Src.IsValid() }) ||
		slices.ContainsFunc(p.State.Routes, func(route facts.Route) bool {
			return route.Proto == facts.Proto && route.Table > plan.FirstTable && route.Dev == toNode && !route.IsDefault()
		})
}

// networks are those that the network of an interface routes by the node: what its own table has, the main one for
// the first interface, and of the cluster's those that any table has. Another network of the pod may name others.
func (p *Pod) networks(node *Node, dev string) []netip.Prefix {
	first, toNode := p.first()
	addrs := plan.UsableAddresses(p.State, dev)
	var networks []netip.Prefix
	for _, route := range p.State.Routes {
		byNode := route.Proto == facts.Proto && route.Dev == toNode && route.Gw.IsValid() && !route.IsDefault()
		own := route.Table > plan.FirstTable && slices.Contains(addrs, route.Src) || route.Table == facts.TableMain && dev == first
		if byNode && (own || slices.Contains(node.Defaults.CIDRs, route.Dst)) && !slices.Contains(networks, route.Dst) {
			networks = append(networks, route.Dst)
		}
	}
	return networks
}

// defaultRouteNIC is the interface with the default route of the main table, where it has no table of its own: it
// was chosen.
func (p *Pod) defaultRouteNIC() string {
	for _, route := range p.State.Routes {
		if !route.IsDefault() || route.Table != facts.TableMain || route.Dev == facts.PodVeth {
			continue
		}
		addrs := plan.UsableAddresses(p.State, route.Dev)
		if !slices.ContainsFunc(p.State.Rules, func(rule facts.Rule) bool {
			return rule.Proto == facts.Proto && slices.Contains(addrs, rule.Src.Addr())
		}) {
			return route.Dev
		}
	}
	return ""
}

// hostTable is the node's table with the routes to an interface, else to any other one of the pod.
func (p *Pod) hostTable(node *Node, dev string) int {
	table := 0
	for _, route := range podRoutes(node.State) {
		entry, ok := p.State.Addr(route.Dst.Addr())
		if ok && (table == 0 || entry.Dev == dev) {
			table = route.Table
		}
	}
	if table == 0 {
		return node.Defaults.Table
	}
	return table
}

// container is the ID of the pod's container; in overlay mode that of which a route of the node has the mark,
// or nothing.
func (p *Pod) container(node *Node, dev string) string {
	if owner, ok := vethOwner(p.Veth); ok {
		return owner.ContainerID
	}
	for _, route := range podRoutes(node.State) {
		if entry, ok := p.State.Addr(route.Dst.Addr()); !ok || entry.Dev != dev {
			continue
		}
		for container := range node.Containers {
			if route.Metric == plan.RouteMetric(container, dev) {
				return container
			}
		}
	}
	return ""
}
