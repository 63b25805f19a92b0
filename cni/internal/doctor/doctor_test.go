package doctor

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/install"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
)

const container = "0123456789abcdef"

var podIP = netip.MustParseAddr("10.6.1.5")

// healthy is a node with one pod and nothing to say about it.
func healthy() Node {
	veth := plan.HostVeth(container)
	prefix := netip.PrefixFrom(podIP, 32)
	return Node{
		Plugins: []Plugin{
			{Name: "coordinator", Target: "/host/cni-bin/coordinator", State: install.Current},
			{Name: "ifacer", Target: "/host/cni-bin/ifacer", State: install.Current},
		},
		HostFiles:  true,
		Containers: map[string]bool{container: true},
		Defaults:   Defaults{Path: "/host/state/defaults.json", Table: 500},
		State: &facts.NetnsState{
			Links: []facts.Link{{
				Index: 7, Peer: 3, Name: veth, Kind: "veth", Up: true, PeerElsewhere: true,
				Alias: plan.Owner{ContainerID: container, IfName: "eth0", Network: "net"}.Alias(), MAC: plan.HostMAC(container),
			}},
			Routes: []facts.Route{{Dst: prefix, Dev: veth, Table: 500, Proto: facts.Proto}},
			Rules: []facts.Rule{
				{Family: facts.V4, Table: facts.TableLocal},
				{Family: facts.V4, Priority: plan.PriorityHost, Table: 500, Proto: facts.Proto},
				{Family: facts.V4, Priority: 32766, Table: facts.TableMain},
			},
			Neighs:  []facts.Neigh{{Dev: veth, IP: podIP, Permanent: true}},
			Sysctls: map[string]string{facts.Forward4: "1", facts.TCPLiberal: "1", facts.RPFilter("all"): "0", facts.RPFilter(veth): "0"},
		},
	}
}

func TestFindings(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Node)
		want   string // level and what; empty for none
	}{
		{"a healthy node", func(*Node) {}, ""},
		{"an old kernel", func(n *Node) { n.Kernel = "4.14.0" }, "ERROR kernel"},
		{"no plugin", func(n *Node) { n.Plugins[0].State = install.Missing }, "ERROR plugin /host/cni-bin/coordinator"},
		{"another product's plugin", func(n *Node) { n.Plugins[0].State = install.Foreign }, "ERROR plugin /host/cni-bin/coordinator"},
		{"an old plugin", func(n *Node) { n.Plugins[0].State = install.Stale }, "WARNING plugin /host/cni-bin/coordinator"},
		{"a plugin out of sight", func(n *Node) { n.Plugins[0].State, n.Plugins[0].Err = "", errors.New("no") }, "UNSEEN plugin"},
		{"a plugin put aside", func(n *Node) { n.Plugins[0].Backup = "/host/cni-bin/.coordinator.foreign" }, "NOTE plugin /host/cni-bin/.coordinator.foreign"},
		{"no ifacer", func(n *Node) { n.Plugins[1].State = install.Missing }, "WARNING plugin /host/cni-bin/ifacer"},
		{"another product's ifacer", func(n *Node) { n.Plugins[1].State = install.Foreign }, "WARNING plugin /host/cni-bin/ifacer"},
		{"no defaults", func(n *Node) { n.Defaults.Missing = true }, "WARNING defaults file"},
		{"broken defaults", func(n *Node) { n.Defaults.Err = errors.New("not JSON") }, "ERROR defaults file"},
		{"old defaults", func(n *Node) { n.Defaults.Stale = true }, "WARNING defaults file"},
		{"defaults that say no", func(n *Node) { n.Defaults.NotReady = "no CIDR" }, "ERROR defaults file"},
		{"no forwarding", func(n *Node) { n.State.Sysctls[facts.Forward4] = "0" }, "ERROR sysctl net/ipv4/ip_forward"},
		{"no forwarding of a family without pods", func(n *Node) { n.State.Sysctls[facts.Forward6] = "0" }, ""},
		{"a picky connection tracker", func(n *Node) { n.State.Sysctls[facts.TCPLiberal] = "0" }, "NOTE sysctl net/netfilter"},
		{"no connection tracker", func(n *Node) { delete(n.State.Sysctls, facts.TCPLiberal) }, "UNSEEN sysctl net/netfilter"},
		{"strict, and nothing before our rule", func(n *Node) { n.State.Sysctls[facts.RPFilter("all")] = "1" }, ""},
		{"strict, with a rule before ours", func(n *Node) {
			n.State.Sysctls[facts.RPFilter("all")] = "1"
			n.State.Rules = append(n.State.Rules, facts.Rule{Family: facts.V4, Priority: 9, Mark: 0x200, Mask: 0xf00, Table: 2004})
		}, "WARNING sysctl net/ipv4/conf/veth0123456789a/rp_filter; NOTE IPv4 rule 9"},
		{"a rule for all before ours", func(n *Node) {
			n.State.Rules = append(n.State.Rules, facts.Rule{Family: facts.V4, Priority: 100, Table: 42})
		}, "WARNING IPv4 rule 100"},
		{"a rule of a VRF", func(n *Node) {
			n.State.Rules = append(n.State.Rules, facts.Rule{Family: facts.V4, Priority: 1000})
		}, "NOTE IPv4 rule 1000"},
		{"another way to the pod", func(n *Node) { n.Ways = map[netip.Addr]string{podIP: "eth0"} }, "ERROR the node's IPv4 way to pods"},
		{"no way to the pod", func(n *Node) { n.Ways = map[netip.Addr]string{podIP: ""} }, "ERROR the node's IPv4 way to pods"},
		{"the way to the pod", func(n *Node) { n.Ways = map[netip.Addr]string{podIP: plan.HostVeth(container)} }, ""},
		{"a rule after ours", func(n *Node) {
			n.State.Rules = append(n.State.Rules, facts.Rule{Family: facts.V4, Priority: 5210, Mark: 1, Table: 52})
		}, ""},
		{"Spiderpool's rule in place of ours", func(n *Node) { n.State.Rules[1].Proto = 0 }, ""},
		{"Spiderpool's rule for packets with a mark", func(n *Node) {
			n.State.Rules[1].Proto, n.State.Rules[1].Mark, n.State.Rules[1].Mask = 0, 1, 1
		}, "NOTE IPv4 rule 1000; ERROR IPv4 rule 1000 to table 500; WARNING table 500"},
		{"our rule is gone", func(n *Node) { n.State.Rules = n.State.Rules[:1] }, "ERROR IPv4 rule 1000 to table 500"},
		{"another's route in our table", func(n *Node) {
			n.State.Routes = append(n.State.Routes, facts.Route{Dst: netip.MustParsePrefix("10.9.0.0/16"), Table: 500, Proto: 4})
		}, "WARNING table 500"},
		{"another's rule to our table", func(n *Node) {
			n.State.Rules = append(n.State.Rules, facts.Rule{Family: facts.V4, Priority: 2000, Table: 500})
		}, "WARNING table 500"},
		{"a link is down", func(n *Node) { n.State.Links[0].Up = false }, "ERROR link"},
		{"a link has another address", func(n *Node) { n.State.Links[0].MAC = "02:00:00:00:00:01" }, "ERROR link"},
		{"a link was given an address", func(n *Node) {
			n.State.Addrs = []facts.Addr{{Dev: n.State.Links[0].Name, Prefix: netip.MustParsePrefix("169.254.3.4/16")}}
		}, "WARNING link"},
		{"a link's own fe80 address", func(n *Node) {
			n.State.Addrs = []facts.Addr{{Dev: n.State.Links[0].Name, Prefix: netip.MustParsePrefix("fe80::1/64")}}
		}, ""},
		{"a pair whose other end is here", func(n *Node) { n.State.Links[0].PeerElsewhere = false }, "WARNING link"},
		{"a pair of a container that is gone", func(n *Node) { n.Containers = map[string]bool{} }, "WARNING link"},
		{"containers out of sight", func(n *Node) { n.Containers = nil }, "UNSEEN containers"},
		{"a pod's network", func(n *Node) {
			n.State = &facts.NetnsState{
				Links:   []facts.Link{{Name: "lo"}, {Name: "eth0", Kind: "veth", PeerElsewhere: true}},
				Sysctls: map[string]string{facts.TCPLiberal: "1"},
			}
		}, "UNSEEN the node's network"},
		{"no route to a pod", func(n *Node) { n.State.Routes = nil }, "ERROR link; WARNING neighbour 10.6.1.5"},
		{"a manager", func(n *Node) { n.LinkManagers = []LinkManager{{Name: "NetworkManager"}} }, "WARNING NetworkManager"},
		{"a manager whose files are out of sight", func(n *Node) {
			n.HostFiles, n.LinkManagers = false, []LinkManager{{Name: "systemd-networkd"}}
		}, "UNSEEN systemd-networkd"},
		{"a manager that is kept off", func(n *Node) { n.LinkManagers = []LinkManager{{Name: "NetworkManager", Unmanaged: true}} }, ""},
		{"networkd that removes what is not its", func(n *Node) {
			n.LinkManagers = []LinkManager{{Name: "systemd-networkd", Unmanaged: true, RemovesForeign: true}}
		}, "WARNING systemd-networkd"},
		{"Cilium", func(n *Node) { n.State.Links = append(n.State.Links, facts.Link{Name: "cilium_host"}) }, "WARNING Cilium"},
		{"Calico with eBPF", func(n *Node) { n.State.Links = append(n.State.Links, facts.Link{Name: "bpfin.cali"}) }, "WARNING Calico"},
	} {
		t.Run(test.name, func(t *testing.T) {
			node := healthy()
			test.change(&node)
			var got []string
			for _, finding := range Check(node) {
				if finding.Subject == podStateSubject {
					continue
				}
				if finding.Value == "" || finding.Remedy == "" {
					t.Errorf("%q tells not all", finding)
				}
				got = append(got, string(finding.Level)+" "+finding.Subject)
			}
			expect(t, got, test.want)
		})
	}
}

func TestNothingOfALivingPodIsToBeDeleted(t *testing.T) {
	for name, change := range map[string]func(*Node){
		"the runtime keeps results elsewhere": func(n *Node) { n.Containers = map[string]bool{} },
		"its link is down":                    func(n *Node) { n.State.Links[0].Up = false },
		"its route is gone":                   func(n *Node) { n.State.Routes = nil },
		"its route leads elsewhere":           func(n *Node) { n.State.Routes[0].Dev = "eth0" },
	} {
		node := healthy()
		change(&node)
		findings := Check(node)
		if len(findings) == 0 {
			t.Errorf("%s: nothing is told", name)
		}
		for _, finding := range findings {
			for _, verb := range []string{"link del", "neigh del"} {
				if strings.Contains(finding.Remedy, verb) {
					t.Errorf("%s: %s", name, finding)
				}
			}
		}
	}
}

const podStateSubject = "pods' own routes, rules and nftables tables"

func expect(t *testing.T, got []string, want string) {
	t.Helper()
	var starts []string
	if want != "" {
		starts = strings.Split(want, "; ")
	}
	if len(got) != len(starts) {
		t.Fatalf("got %q, want %q", got, starts)
	}
	for i := range got {
		if !strings.HasPrefix(got[i], starts[i]) {
			t.Errorf("got %q, want %q", got, starts)
		}
	}
}

func TestOnlyErrorsAreAFailure(t *testing.T) {
	for level, want := range map[Level]int{Error: 1, Warning: 0, Note: 0, Unseen: 0} {
		var out bytes.Buffer
		if code := Report(&out, []Finding{{level, "a", "b", "c"}}); code != want {
			t.Errorf("%s: exit code %d", level, code)
		}
		if lines := strings.Count(out.String(), "\n"); lines != 2 {
			t.Errorf("%s: %d lines: %s", level, lines, out.String())
		}
	}
}

func TestOneIsNoPlural(t *testing.T) {
	var out bytes.Buffer
	Report(&out, []Finding{{Note, "a", "b", "c"}, {Unseen, "a", "b", "c"}, {Unseen, "d", "e", "f"}})
	if want := "doctor: 0 errors, 0 warnings, 1 note, 2 things that cannot be seen from here\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("%s", out.String())
	}
}
