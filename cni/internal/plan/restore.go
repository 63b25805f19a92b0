package plan

import (
	"net/netip"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// MissingHostRules plans the node's rules that are gone though their tables have routes to pods: a firewall
// that is reloaded, a restart of systemd-networkd, or a person may have deleted them.
func MissingHostRules(host *facts.NetnsState) []Op {
	b := builder{facts: &facts.Facts{Host: *host}}
	planned := map[facts.Rule]bool{}
	for _, route := range host.Routes {
		rule := facts.Rule{Family: route.Family(), Priority: PriorityHost, Table: route.Table}
		if route.IsToPod() && !planned[rule] {
			planned[rule] = true
			b.ensureRule(facts.Host, rule, true)
		}
	}
	return b.ops
}

// ReplaceSources plans other sources for the node's routes to pods that have one which the node has lost: a virtual
// address that moved away, say. In other tables than main the kernel keeps such an IPv4 route, and sends by it what
// nobody answers to this node; an IPv6 one stays without source, so that any address may be chosen.
func ReplaceSources(f *facts.Facts, lost map[netip.Addr]bool) []Op {
	var ops []Op
	for _, route := range f.Host.Routes {
		if !route.IsToPod() || !lost[route.Src] {
			continue
		}
		if own := nodeAddresses(f, route.Family(), route.Dst.Addr()); len(own) > 0 {
			replaced := route
			replaced.Src = own[0]
			ops = append(ops, Op{PutRoute{Side: facts.Host, Route: replaced}, PutRoute{Side: facts.Host, Route: route}})
		}
	}
	return ops
}
