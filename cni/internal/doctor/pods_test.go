package doctor

import (
	"net/netip"
	"testing"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

var nodeIP = netip.MustParseAddr("10.6.0.10")

// withPod is the healthy node with a look into its pod.
func withPod() Node {
	const podMAC = "0a:00:00:00:00:01"
	node := healthy()
	node.Names = map[string]string{container: "default/web"}
	node.State.Neighs[0].MAC = podMAC
	node.Defaults.CIDRs = []netip.Prefix{netip.MustParsePrefix("10.96.0.0/12"), netip.MustParsePrefix("fd00:96::/108")}
	node.Pods = []Pod{{Veth: node.State.Links[0], Netns: "/run/netns/cni-1", State: &facts.NetnsState{
		Links: []facts.Link{{Index: 3, Name: facts.PodVeth, MAC: podMAC, Up: true}, {Index: 2, Name: "eth0", Up: true}},
		Addrs: []facts.Addr{{Dev: "eth0", Prefix: netip.PrefixFrom(podIP, 16)}},
		Routes: []facts.Route{
			{Dst: netip.MustParsePrefix("10.96.0.0/12"), Gw: nodeIP, Dev: facts.PodVeth, Table: facts.TableMain, Proto: facts.Proto},
			{Dst: netip.MustParsePrefix("0.0.0.0/0"), Gw: nodeIP, Dev: facts.PodVeth, Table: 5000, Proto: facts.Proto},
			{Dst: netip.MustParsePrefix("0.0.0.0/0"), Gw: netip.MustParseAddr("10.6.0.1"), Dev: "eth0", Table: facts.TableMain},
		},
		Rules:   []facts.Rule{{Family: facts.V4, Mark: facts.MarkBit, Mask: facts.MarkBit, Table: 5000, Proto: facts.Proto}},
		Neighs:  []facts.Neigh{{Dev: facts.PodVeth, IP: nodeIP, MAC: node.State.Links[0].MAC, Permanent: true}},
		Marks:   map[facts.Family]facts.MarkState{facts.V4: facts.MarksComplete},
		Sysctls: map[string]string{},
	}}}
	return node
}

func TestPodFindings(t *testing.T) {
	redirect := func(family facts.Family) facts.Firewall {
		return facts.Firewall{Chains: []facts.Chain{{Families: []facts.Family{family}, Rules: []facts.ChainRule{{Redirect: true}}}}}
	}
	vethAddr := facts.Addr{Dev: facts.PodVeth, Prefix: netip.MustParsePrefix("169.254.100.1/32")}
	for _, test := range []struct {
		name   string
		change func(*Node, *Pod)
		want   string
	}{
		{"a healthy pod", func(*Node, *Pod) {}, ""},
		{"no veth0", func(_ *Node, p *Pod) { p.State.Links = p.State.Links[1:] }, "ERROR pod default/web: has no veth0"},
		{"veth0 is down", func(_ *Node, p *Pod) { p.State.Links[0].Up = false }, "ERROR pod default/web: its veth0 is down"},
		{"a mesh", func(_ *Node, p *Pod) { p.Firewall = redirect(facts.V4) }, "ERROR pod default/web: redirects IPv4"},
		{"a mesh, and an address", func(_ *Node, p *Pod) {
			p.Firewall, p.State.Addrs = redirect(facts.V4), append(p.State.Addrs, vethAddr)
		}, ""},
		{"a mesh of a family that the pod has not", func(_ *Node, p *Pod) { p.Firewall = redirect(facts.V6) }, ""},
		{"iptables-legacy", func(_ *Node, p *Pod) { p.Firewall.Legacy = []string{"nat"} }, "WARNING pod default/web: has rules of iptables-legacy"},
		{"a wrong neighbour", func(_ *Node, p *Pod) { p.State.Neighs[0].MAC = "02:00:00:00:00:09" },
			"ERROR pod default/web: its neighbour entry of the node's address 10.6.0.10 has the hardware address 02:00:00:00:00:09"},
		{"no neighbour", func(_ *Node, p *Pod) { p.State.Neighs = nil }, "WARNING pod default/web: its neighbour entry of the node's address 10.6.0.10 is missing"},
		{"a wrong neighbour on the node", func(n *Node, _ *Pod) { n.State.Neighs[0].MAC = "02:00:00:00:00:09" },
			"ERROR pod default/web: the node's neighbour entry of its address 10.6.1.5"},
		{"no neighbour on the node", func(n *Node, _ *Pod) { n.State.Neighs = nil }, "WARNING pod default/web: the node's neighbour entry of its address 10.6.1.5 is missing"},
		{"no routes", func(_ *Node, p *Pod) { p.State.Routes = p.State.Routes[2:] },
			"ERROR pod default/web: has no IPv4 route; ERROR pod default/web: the IPv4 default route; WARNING pod default/web: has no route to 10.96.0.0/12"},
		{"no route to services", func(_ *Node, p *Pod) { p.State.Routes = p.State.Routes[1:] }, "WARNING pod default/web: has no route to 10.96.0.0/12"},
		{"services are a network of its own", func(_ *Node, p *Pod) { p.State.Routes[0].Dev, p.State.Routes[0].Proto = "eth0", facts.ProtoKernel }, ""},
		{"no route for replies", func(_ *Node, p *Pod) { p.State.Routes[1].Table = 77 }, "ERROR pod default/web: the IPv4 default route by veth0 in its table 5000"},
		{"no rule", func(_ *Node, p *Pod) { p.State.Rules = nil }, "ERROR pod default/web: its IPv4 rule for marked packets"},
		{"no marks", func(_ *Node, p *Pod) { p.State.Marks = nil }, "ERROR pod default/web: its nftables table"},
		{"broken marks", func(_ *Node, p *Pod) { p.State.Marks[facts.V4] = facts.MarksBroken }, "ERROR pod default/web: its nftables table"},
		{"a strict veth0", func(_ *Node, p *Pod) { p.State.Sysctls[facts.RPFilter(facts.PodVeth)] = "1" }, "WARNING pod default/web: rp_filter is 1"},
		{"its name is not known", func(n *Node, p *Pod) { n.Names, p.State.Rules = nil, nil }, "ERROR the pod with address 10.6.1.5: its IPv4 rule"},
	} {
		t.Run(test.name, func(t *testing.T) {
			node := withPod()
			test.change(&node, &node.Pods[0])
			var got []string
			for _, finding := range pods(node) {
				got = append(got, string(finding.Level)+" "+finding.Subject+": "+finding.Value)
			}
			expect(t, got, test.want)
		})
	}
}
