package plan

import (
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// rpFilterStrict: the kernel drops a packet whose reverse path is another interface (RFC 3704); 2 is
// loose.
const rpFilterStrict = "1"

// SysctlWarnings reports sysctls that this plugin does not own and that are known to break traffic. They
// are not changed.
func SysctlWarnings(f *facts.Facts, hostVeth string) []string {
	var warnings []string
	if _, underlay := f.Pod.Link(facts.PodVeth); underlay {
		if RPFilterStrict(&f.Pod, facts.PodVeth) {
			warnings = append(warnings, "rp_filter is 1 (strict) on veth0 of the pod: clients whose address is kept, such as those of a NodePort "+
				"with externalTrafficPolicy Local, get no answer; set podRPFilter to 0 or 2")
		}
	}
	if f.Host.Sysctls[facts.TCPLiberal] == "0" {
		warnings = append(warnings, "sysctl net.netfilter.nf_conntrack_tcp_be_liberal of the node is 0: kube-proxy in iptables mode may drop "+
			"TCP between an underlay pod and an overlay pod of another node, whose replies take another route; set it to 1 if that happens, and restart kube-proxy, which reads it when it starts")
	}
	if RPFilterStrict(&f.Host, hostVeth) && len(RulesBeforeOurs(&f.Host)) > 0 {
		warnings = append(warnings, "rp_filter of "+hostVeth+" or of all is 1 (strict) on the node, where rules of others go before the one to the pods: "+
			"the pod's packets may get no further; set hostRPFilter to 0 or 2")
	}
	return warnings
}

// RPFilterStrict says whether the kernel drops what a link receives when the reverse path is another
// link. It uses the greater of the link's value and that of all.
func RPFilterStrict(state *facts.NetnsState, dev string) bool {
	return max(state.Sysctls[facts.RPFilter("all")], state.Sysctls[facts.RPFilter(dev)]) == rpFilterStrict
}

// RulesBeforeOurs are other programs' rules on the node that the kernel evaluates before ours.
func RulesBeforeOurs(host *facts.NetnsState) []facts.Rule {
	var rules []facts.Rule
	for _, rule := range host.Rules {
		if !IsHostRule(host, rule) && rule.Priority > 0 && rule.Priority <= PriorityHost && rule.Table != facts.TableLocal {
			rules = append(rules, rule)
		}
	}
	return rules
}

// IsHostRule says whether a rule of the node is the one to pods: with this plugin's protocol, or exactly as
// this plugin would add it, which then adds none. Spiderpool's has no protocol.
func IsHostRule(host *facts.NetnsState, rule facts.Rule) bool {
	if rule.Proto == facts.Proto {
		return true
	}
	plain := !rule.Foreign && !rule.Src.IsValid() && rule.Mark == 0 && rule.Mask == 0 && rule.Priority == PriorityHost
	return plain && slices.ContainsFunc(host.Routes, func(route facts.Route) bool {
		return route.IsToPod() && route.Table == rule.Table
	})
}
