package doctor

import (
	"fmt"
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
)

// sysctls reports the node's sysctls; they are never changed.
func sysctls(node Node) []Finding {
	host := node.State
	families := familiesOf(podRoutes(host))
	var findings []Finding
	for _, forwarding := range []struct {
		family facts.Family
		key    string
	}{{facts.V4, facts.Forward4}, {facts.V6, facts.Forward6}} {
		if families[forwarding.family] && host.Sysctls[forwarding.key] == "0" {
			findings = append(findings, Finding{Error, "sysctl " + forwarding.key, "0",
				fmt.Sprintf("set it to 1: the node does not forward, so pods reach no service by %s", forwarding.family)})
		}
	}
	switch host.Sysctls[facts.TCPLiberal] {
	case "0":
		// The kernel's default: most nodes have it, and most traffic does not mind.
		findings = append(findings, Finding{Note, "sysctl " + facts.TCPLiberal, "0",
			"set it to 1 if TCP between underlay pods and overlay pods of other nodes is reset: replies take another route than requests, " +
				"and kube-proxy in iptables mode drops packets that conntrack calls INVALID, unless this was 1 when it started"})
	case "":
		findings = append(findings, Finding{Unseen, "sysctl " + facts.TCPLiberal, "is not there",
			"only the node's own namespaces show it: is the module nf_conntrack loaded, and does this run in the node's network?"})
	}
	return slices.Concat(findings, forwardingOfLinks(host), reversePathFilter(host))
}

// forwardingOfLinks reports links from which the node forwards nothing though it forwards: those to pods, and
// those of the default route, by which answers come back.
func forwardingOfLinks(host *facts.NetnsState) []Finding {
	if host.Sysctls[facts.Forward4] == "0" {
		return nil // reported for the whole node
	}
	var findings []Finding
	reported := map[string]bool{}
	for _, route := range host.Routes {
		toPod := route.IsToPod()
		uplink := route.IsDefault() && route.Table == facts.TableMain
		if !toPod && !uplink || route.Family() != facts.V4 || reported[route.Dev] || host.Sysctls[facts.Forwarding(route.Dev)] != "0" {
			continue
		}
		reported[route.Dev] = true
		effect := "what its pod sends to services gets no further than the node"
		if !toPod {
			effect = "answers to pods' requests to services, and requests to NodePorts from outside, get no further than the node"
		}
		findings = append(findings, Finding{Error, "sysctl " + facts.Forwarding(route.Dev), "0, though the node forwards",
			"set it to 1, and find out who sets it or " + facts.Forwarding("default") + ": " + effect})
	}
	return findings
}

// reversePathFilter reports host veths that drop what they receive: with rp_filter 1 the reverse path
// must lead into the same link, and a rule with a higher priority may select another.
func reversePathFilter(host *facts.NetnsState) []Finding {
	if len(plan.RulesBeforeOurs(host)) == 0 {
		return nil
	}
	var findings []Finding
	for _, route := range podRoutes(host) {
		if route.Family() != facts.V4 || !plan.RPFilterStrict(host, route.Dev) {
			continue
		}
		findings = append(findings, Finding{Warning, "sysctl " + facts.RPFilter(route.Dev),
			"1 (strict, its own or that of all), while rules go before ours, src_valid_mark is " + host.Sysctls[facts.SrcValidMark],
			"set hostRPFilter to 0 or 2 and net.ipv4.conf.all.rp_filter to 0 or 2, if the pod's packets do not get further than the node"})
	}
	return findings
}

func rules(node Node) []Finding {
	var findings []Finding
	for _, rule := range plan.RulesBeforeOurs(node.State) {
		subject := fmt.Sprintf("%s rule %d of another program", rule.Family, rule.Priority)
		// Without a table: of a VRF (l3mdev), or with another action, whose effect the ways to pods show.
		if rule.Foreign || rule.Table == 0 || rule.Mark != 0 || rule.Mask != 0 || rule.Src.IsValid() {
			findings = append(findings, Finding{Note, subject, fmt.Sprintf("goes before ours (%d) for some packets", plan.PriorityHost),
				"if the node does not reach a pod: ip route get POD, with the mark or source that this rule has"})
			continue
		}
		findings = append(findings, Finding{Warning, subject, fmt.Sprintf("sends every packet to table %d before ours (%d) is asked", rule.Table, plan.PriorityHost),
			"make sure that table has no route that matches pods' addresses, or give that rule a number above 1000"})
	}
	return append(findings, missingRules(node)...)
}

// missingRules reports tables with routes to pods that no rule looks up.
func missingRules(node Node) []Finding {
	type lookup struct {
		family facts.Family
		table  int
	}
	existing, reported := map[lookup]bool{}, map[lookup]bool{}
	for _, rule := range node.State.Rules {
		if plan.IsHostRule(node.State, rule) && !rule.Foreign {
			existing[lookup{rule.Family, rule.Table}] = true
		}
	}
	var findings []Finding
	for _, route := range podRoutes(node.State) {
		key := lookup{route.Family(), route.Table}
		if existing[key] || reported[key] {
			continue
		}
		reported[key] = true
		findings = append(findings, Finding{Error, fmt.Sprintf("%s rule %d to table %d", key.family, plan.PriorityHost, key.table),
			"is missing, though that table has routes to pods",
			fmt.Sprintf("ip -%d rule add pref %d lookup %d proto %d; find out who removed it: probes of these pods fail", key.family, plan.PriorityHost, key.table, facts.Proto)})
	}
	return findings
}

// routes reports that other programs use hostRuleTable.
func routes(node Node) []Finding {
	var findings []Finding
	table := node.Defaults.Table
	for _, route := range node.State.Routes {
		if route.Table == table && route.Proto != facts.Proto {
			findings = append(findings, Finding{Warning, fmt.Sprintf("table %d (hostRuleTable)", table), "has a route of another program, to " + route.Dst.String(),
				"choose another hostRuleTable in the SpiderCoordinator"})
			break
		}
	}
	for _, rule := range node.State.Rules {
		if rule.Table == table && !plan.IsHostRule(node.State, rule) {
			findings = append(findings, Finding{Warning, fmt.Sprintf("table %d (hostRuleTable)", table),
				fmt.Sprintf("is used by %s rule %d of another program", rule.Family, rule.Priority),
				"choose another hostRuleTable in the SpiderCoordinator"})
			break
		}
	}
	return findings
}
