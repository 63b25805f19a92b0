package doctor

import (
	"fmt"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
)

// settings looks at the node's sysctls. They are its own: they are told, never changed.
func settings(node Node) []Finding {
	space := node.Space
	used := familiesOf(ownRoutes(space))
	var found []Finding
	for _, each := range []struct {
		family facts.Family
		key    string
	}{{facts.V4, facts.Forward4}, {facts.V6, facts.Forward6}} {
		if used[each.family] && space.Sysctls[each.key] == "0" {
			found = append(found, Finding{Error, "sysctl " + each.key, "0",
				fmt.Sprintf("set it to 1: the node forwards nothing, so pods reach no service by %s", each.family)})
		}
	}
	switch space.Sysctls[facts.TCPLiberal] {
	case "0":
		found = append(found, Finding{Warning, "sysctl " + facts.TCPLiberal, "0",
			"set it to 1 if TCP between underlay pods and overlay pods of other nodes is reset: answers take another way than requests, " +
				"and kube-proxy in iptables mode drops what the connection tracker calls invalid"})
	case "":
		found = append(found, Finding{Unseen, "sysctl " + facts.TCPLiberal, "is not there",
			"only the node's own namespaces show it: is the module nf_conntrack loaded, and does this run in the node's network?"})
	}
	return append(found, reversePath(space)...)
}

// reversePath looks for links of ours that drop what comes in by them: with rp_filter 1 the kernel
// wants the way back to lead into the same link, and a rule that goes before ours may say otherwise.
func reversePath(space *facts.Space) []Finding {
	if len(plan.RulesBefore(space)) == 0 {
		return nil
	}
	var found []Finding
	for _, route := range ownRoutes(space) {
		if route.Family() != facts.V4 || !plan.RPFilterStrict(space, route.Dev) {
			continue
		}
		found = append(found, Finding{Warning, "sysctl " + facts.RPFilter(route.Dev),
			"1 (strict, its own or that of all), while rules go before ours, src_valid_mark is " + space.Sysctls[facts.SrcValidMark],
			"set hostRPFilter to 0 or 2 and net.ipv4.conf.all.rp_filter to 0 or 2, if the pod's packets do not get further than the node"})
	}
	return found
}

func rules(node Node) []Finding {
	var found []Finding
	for _, rule := range plan.RulesBefore(node.Space) {
		what := fmt.Sprintf("%s rule %d of another program", rule.Family, rule.Priority)
		if rule.Foreign || rule.Mark != 0 || rule.Mask != 0 || rule.Src.IsValid() {
			found = append(found, Finding{Note, what, fmt.Sprintf("goes before ours (%d) for some packets", plan.PriorityHost),
				"if the node does not reach a pod: ip route get POD, with the mark or source that this rule has"})
			continue
		}
		found = append(found, Finding{Warning, what, fmt.Sprintf("sends every packet to table %d before ours (%d) is asked", rule.Table, plan.PriorityHost),
			"make sure that table has no route that matches pods' addresses, or give that rule a number above 1000"})
	}
	return append(found, missingRules(node)...)
}

// missingRules looks for tables with routes to pods to which no rule leads.
func missingRules(node Node) []Finding {
	type lookup struct {
		family facts.Family
		table  int
	}
	led, told := map[lookup]bool{}, map[lookup]bool{}
	for _, rule := range node.Space.Rules {
		if rule.Proto == facts.Proto && !rule.Foreign {
			led[lookup{rule.Family, rule.Table}] = true
		}
	}
	var found []Finding
	for _, route := range ownRoutes(node.Space) {
		at := lookup{route.Family(), route.Table}
		if led[at] || told[at] {
			continue
		}
		told[at] = true
		found = append(found, Finding{Error, fmt.Sprintf("%s rule %d to table %d", at.family, plan.PriorityHost, at.table),
			"is missing, though that table has routes to pods",
			fmt.Sprintf("ip -%d rule add pref %d lookup %d proto %d; find out who removed it: probes of these pods fail", at.family, plan.PriorityHost, at.table, facts.Proto)})
	}
	return found
}

// routes looks for a table that others use too.
func routes(node Node) []Finding {
	var found []Finding
	table := node.Defaults.Table
	for _, route := range node.Space.Routes {
		if route.Table == table && route.Proto != facts.Proto {
			found = append(found, Finding{Warning, fmt.Sprintf("table %d (hostRuleTable)", table), "has a route of another program, to " + route.Dst.String(),
				"choose another hostRuleTable in the SpiderCoordinator"})
			break
		}
	}
	for _, rule := range node.Space.Rules {
		if rule.Table == table && rule.Proto != facts.Proto {
			found = append(found, Finding{Warning, fmt.Sprintf("table %d (hostRuleTable)", table),
				fmt.Sprintf("is used by %s rule %d of another program", rule.Family, rule.Priority),
				"choose another hostRuleTable in the SpiderCoordinator"})
			break
		}
	}
	return found
}
