package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/google/nftables"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
)

// forwardsOrMasquerades says whether a base chain decides on packets between pods and services.
func forwardsOrMasquerades(chain facts.Chain) bool {
	forward := chain.Hook == *nftables.ChainHookForward && !chain.NAT
	return chain.Base && (forward || chain.Hook == *nftables.ChainHookPostrouting && chain.NAT)
}

// firewall reports what drops packets between services and pods, or leaves them a source that nobody
// answers to.
func firewall(node Node) []Finding {
	routed := familiesOf(podRoutes(node.State))
	if node.FirewallErr != nil {
		return []Finding{{Unseen, "the node's firewall", node.FirewallErr.Error(),
			"with NET_ADMIN (the chart's value installer.restoreRules), or as root on the node: nft list ruleset"}}
	}
	var findings []Finding
	for _, chain := range node.Firewall.Chains {
		if chain.Base && chain.PolicyDrop && chain.Hook == *nftables.ChainHookForward && serves(routed, chain) {
			findings = append(findings, forwardDrop(node.Firewall.Chains, chain)...)
		}
	}
	for _, family := range facts.Families {
		if routed[family] && kubeProxyRuns(node.Firewall.Chains, family) && !masquerades(node.Firewall.Chains, family) {
			findings = append(findings, Finding{Warning, fmt.Sprintf("kube-proxy's %s rules", family), "masquerade nothing",
				"restart kube-proxy on this node, and find out who removed its rule: NodePorts and LoadBalancer addresses with policy Cluster do not answer, " +
					"nor does a Service to the pod that is behind it"})
		}
	}
	if slices.Contains(node.Firewall.Legacy, "filter") && len(routed) > 0 {
		findings = append(findings, Finding{Unseen, "iptables-legacy's rules", "are there, and are not read",
			"on the node: iptables-legacy -S FORWARD; its policy must be ACCEPT, or a rule accept veth+"})
	}
	return findings
}

func serves(routed map[facts.Family]bool, chain facts.Chain) bool {
	return slices.ContainsFunc(chain.Families, func(family facts.Family) bool { return routed[family] })
}

// forwardDrop reports a base chain that drops what no rule accepts. kube-proxy's rules accept replies and
// what it translated with a mark, not the first packet to a pod whose client keeps its address.
func forwardDrop(chains []facts.Chain, base facts.Chain) []Finding {
	level, doubt := Warning, ""
	for _, rule := range unconditionalRules(chains, base) {
		veth := slices.ContainsFunc(rule.Interfaces, func(name string) bool { return strings.HasPrefix(name, "veth") })
		switch {
		case rule.Accept && (rule.Always || veth):
			return nil
		case rule.Accept && rule.ByAddress:
			level, doubt = Note, ", unless its rules by address accept pods"
		}
	}
	return []Finding{{level, fmt.Sprintf("chain %s of table %s", base.Name, base.Table), "has the policy DROP, and no rule accepts veth*" + doubt,
		"for each of iptables and ip6tables in use: iptables -I FORWARD -i veth+ -j ACCEPT; iptables -I FORWARD -o veth+ -j ACCEPT; " +
			"or iptables -P FORWARD ACCEPT: services and NodePorts of pods on this node do not answer"}}
}

// unconditionalRules are the rules that every packet in a chain is compared with, until one decides.
func unconditionalRules(chains []facts.Chain, start facts.Chain) []facts.ChainRule {
	var rules []facts.ChainRule
	seen := map[string]bool{}
	var walk func(facts.Chain)
	walk = func(chain facts.Chain) {
		seen[chain.Name] = true
		for _, rule := range chain.Rules {
			rules = append(rules, rule)
			for _, next := range chains {
				if rule.Always && next.Name == rule.Jump && next.Table == start.Table && slices.Equal(next.Families, start.Families) && !seen[next.Name] {
					walk(next)
				}
			}
		}
	}
	walk(start)
	return rules
}

func kubeProxyRuns(chains []facts.Chain, family facts.Family) bool {
	return slices.ContainsFunc(chains, func(chain facts.Chain) bool {
		own := chain.Table == "kube-proxy" || chain.Table == "nat" && chain.Name == "KUBE-SERVICES"
		return own && slices.Contains(chain.Families, family)
	})
}

func masquerades(chains []facts.Chain, family facts.Family) bool {
	return slices.ContainsFunc(chains, func(chain facts.Chain) bool {
		own := chain.Table == "kube-proxy" || chain.Name == "KUBE-POSTROUTING"
		return own && slices.Contains(chain.Families, family) &&
			slices.ContainsFunc(chain.Rules, func(rule facts.ChainRule) bool { return rule.Masquerade })
	})
}

// uplinks reports node interfaces that drop what comes back to the node with a pod's source: a pod sends to
// an address of the node that is not routed through it, such as a VIP, and the segment's router sends it
// on to the node, whose way back is the veth.
func uplinks(node Node) []Finding {
	if !familiesOf(podRoutes(node.State))[facts.V4] {
		return nil
	}
	var findings []Finding
	for _, route := range node.State.Routes {
		key := facts.RPFilter(route.Dev)
		reported := slices.ContainsFunc(findings, func(f Finding) bool { return f.Subject == "sysctl "+key })
		if !route.IsDefault() || route.Table != facts.TableMain || route.Family() != facts.V4 || reported || !plan.RPFilterStrict(node.State, route.Dev) {
			continue
		}
		findings = append(findings, Finding{Note, "sysctl " + key, "1 (strict, its own or that of all) on the interface of the default route",
			"if pods of this node do not reach a LoadBalancer address or VIP that this node has: put it into hijackCIDR, or set this and " +
				facts.RPFilter("all") + " to 0 or 2"})
	}
	return findings
}

// tunnelKinds are the kinds of links by which a cluster network sends between nodes.
var tunnelKinds = []string{"vxlan", "geneve", "ipip", "gre", "ip6tnl", "sit", "wireguard", "tuntap"}

// tunnels reports links to other nodes' pods that drop what underlay pods of other nodes send to pods of this one: it
// comes by the tunnel, and the node's way back to an underlay pod is the segment.
func tunnels(node Node) []Finding {
	var findings []Finding
	seen := map[string]bool{}
	for _, route := range node.State.Routes {
		toPods := slices.ContainsFunc(node.Defaults.PodCIDRs, func(cidr netip.Prefix) bool {
			return cidr.Bits() <= route.Dst.Bits() && cidr.Contains(route.Dst.Addr())
		})
		link, _ := node.State.Link(route.Dev)
		if !toPods || seen[route.Dev] || !slices.Contains(tunnelKinds, link.Kind) || !plan.RPFilterStrict(node.State, route.Dev) {
			continue
		}
		seen[route.Dev] = true
		findings = append(findings, Finding{Warning, "sysctl " + facts.RPFilter(route.Dev), "1 (strict, its own or that of all) on the tunnel to other nodes' pods",
			"set this and " + facts.RPFilter("all") + " to 0 or 2: underlay pods of other nodes do not reach pods of the cluster network on this node"})
	}
	return findings
}
