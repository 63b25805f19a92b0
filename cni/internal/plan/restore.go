package plan

import (
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// MissingHostRules plans the node's rules that are gone though their tables have routes to pods: a firewall
// that is reloaded, a restart of systemd-networkd, or a person may have deleted them.
func MissingHostRules(host *facts.NetnsState) []Op {
	b := builder{facts: &facts.Facts{Host: *host}}
	planned := map[facts.Rule]bool{}
	for _, route := range host.Routes {
		rule := facts.Rule{Family: route.Family(), Priority: PriorityHost, Table: route.Table}
		if route.Proto == facts.Proto && route.Dst.IsSingleIP() && !planned[rule] {
			planned[rule] = true
			b.ensureRule(facts.Host, rule, true)
		}
	}
	return b.ops
}
