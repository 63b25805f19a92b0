package doctor

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/nftables"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

func forwardChain(policyDrop bool, rules ...facts.ChainRule) facts.Chain {
	return facts.Chain{
		Families: []facts.Family{facts.V4}, Table: "filter", Name: "FORWARD", Hook: *nftables.ChainHookForward, Base: true,
		PolicyDrop: policyDrop, Rules: rules,
	}
}

func natChain(name string, rules ...facts.ChainRule) facts.Chain {
	return facts.Chain{Families: []facts.Family{facts.V4}, Table: "nat", Name: name, NAT: true, Rules: rules}
}

func TestServiceFindings(t *testing.T) {
	toKubeProxy := facts.ChainRule{Always: true, Jump: "KUBE-FORWARD"}
	kubeForward := forwardChain(false, facts.ChainRule{Accept: true})
	kubeForward.Name, kubeForward.Base = "KUBE-FORWARD", false
	ofIPv6 := forwardChain(true)
	ofIPv6.Families = []facts.Family{facts.V6}
	ofBoth := forwardChain(true)
	ofBoth.Families, ofBoth.Table = facts.Families, "firewalld"
	defaultRoute := facts.Route{Dst: netip.MustParsePrefix("0.0.0.0/0"), Dev: "eth0", Table: facts.TableMain}
	for _, test := range []struct {
		name   string
		change func(*Node)
		want   string
	}{
		{"it cannot be read", func(n *Node) { n.FirewallErr = errors.New("not permitted") }, "UNSEEN the node's firewall"},
		{"policy ACCEPT", func(n *Node) { n.Firewall.Chains = []facts.Chain{forwardChain(false)} }, ""},
		{"policy DROP", func(n *Node) { n.Firewall.Chains = []facts.Chain{forwardChain(true)} }, "WARNING chain FORWARD of table filter"},
		{"policy DROP beside kube-proxy", func(n *Node) {
			n.Firewall.Chains = []facts.Chain{forwardChain(true, toKubeProxy), kubeForward}
		}, "WARNING chain FORWARD of table filter"},
		{"policy DROP, and pods are accepted", func(n *Node) {
			n.Firewall.Chains = []facts.Chain{forwardChain(true, facts.ChainRule{Accept: true, Interfaces: []string{"veth"}})}
		}, ""},
		{"policy DROP, and a rule accepts all in a chain for all", func(n *Node) {
			accepting := kubeForward
			accepting.Rules = []facts.ChainRule{{Accept: true, Always: true}}
			n.Firewall.Chains = []facts.Chain{forwardChain(true, toKubeProxy), accepting}
		}, ""},
		{"policy DROP, and a rule accepts all in a chain for some", func(n *Node) {
			accepting := kubeForward
			accepting.Rules = []facts.ChainRule{{Accept: true, Always: true}}
			n.Firewall.Chains = []facts.Chain{forwardChain(true, facts.ChainRule{Interfaces: []string{"docker0"}, Jump: "KUBE-FORWARD"}), accepting}
		}, "WARNING chain FORWARD of table filter"},
		{"policy DROP, and rules by address", func(n *Node) {
			n.Firewall.Chains = []facts.Chain{forwardChain(true, facts.ChainRule{Accept: true, ByAddress: true})}
		}, "NOTE chain FORWARD of table filter"},
		{"policy DROP of a family without pods", func(n *Node) { n.Firewall.Chains = []facts.Chain{ofIPv6} }, ""},
		{"policy DROP of both families", func(n *Node) { n.Firewall.Chains = []facts.Chain{ofBoth} }, "WARNING chain FORWARD of table firewalld"},
		{"policy DROP without pods", func(n *Node) {
			n.Firewall.Chains = []facts.Chain{forwardChain(true)}
			n.State.Routes, n.State.Links, n.State.Neighs = nil, []facts.Link{{Name: "eth1"}}, nil
		}, ""},
		{"iptables-legacy", func(n *Node) { n.Firewall.Legacy = []string{"filter"} }, "UNSEEN iptables-legacy's rules"},
		{"kube-proxy masquerades", func(n *Node) {
			n.Firewall.Chains = []facts.Chain{natChain("KUBE-SERVICES"), natChain("KUBE-POSTROUTING", facts.ChainRule{Masquerade: true})}
		}, ""},
		{"kube-proxy masquerades nothing", func(n *Node) {
			n.Firewall.Chains = []facts.Chain{natChain("KUBE-SERVICES"), natChain("KUBE-POSTROUTING"), natChain("DOCKER", facts.ChainRule{Masquerade: true})}
		}, "WARNING kube-proxy's IPv4 rules"},
		{"kube-proxy in nftables mode masquerades nothing", func(n *Node) {
			chain := natChain("nat-postrouting")
			chain.Table = "kube-proxy"
			n.Firewall.Chains = []facts.Chain{chain}
		}, "WARNING kube-proxy's IPv4 rules"},
		{"a strict uplink", func(n *Node) {
			n.State.Routes = append(n.State.Routes, defaultRoute)
			n.State.Sysctls[facts.RPFilter("eth0")] = "1"
		}, "NOTE sysctl net/ipv4/conf/eth0/rp_filter"},
		{"a loose uplink", func(n *Node) {
			n.State.Routes = append(n.State.Routes, defaultRoute)
			n.State.Sysctls[facts.RPFilter("eth0")], n.State.Sysctls[facts.RPFilter("all")] = "2", "1"
		}, ""},
		{"strict, but not the uplink", func(n *Node) {
			n.State.Routes = append(n.State.Routes, defaultRoute)
			n.State.Sysctls[facts.RPFilter("eth1")] = "1"
		}, ""},
		{"a strict tunnel", func(n *Node) { tunnel(n, "vxlan", "1") }, "WARNING sysctl net/ipv4/conf/flannel.1/rp_filter"},
		{"a loose tunnel", func(n *Node) { tunnel(n, "vxlan", "2") }, ""},
		{"a strict bridge of the node's own pods", func(n *Node) { tunnel(n, "bridge", "1") }, ""},
		{"a strict tunnel to somewhere else", func(n *Node) {
			tunnel(n, "wireguard", "1")
			n.Defaults.PodCIDRs = nil
		}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			node := healthy()
			test.change(&node)
			var got []string
			for _, finding := range slices.Concat(firewall(node), uplinks(node), tunnels(node)) {
				got = append(got, string(finding.Level)+" "+finding.Subject)
			}
			expect(t, got, test.want)
		})
	}
}

// tunnel adds a link to other nodes' pods.
func tunnel(n *Node, kind, filter string) {
	n.Defaults.PodCIDRs = []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16")}
	n.State.Links = append(n.State.Links, facts.Link{Name: "flannel.1", Kind: kind, Up: true})
	n.State.Routes = append(n.State.Routes, facts.Route{Dst: netip.MustParsePrefix("10.244.2.0/24"), Dev: "flannel.1", Table: facts.TableMain})
	n.State.Sysctls[facts.RPFilter("flannel.1")] = filter
}
