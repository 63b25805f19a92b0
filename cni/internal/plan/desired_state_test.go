package plan

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// desiredState is an underlay pod with IPv4 on eth0 as docs/coordinator.md describes it, written out:
// nothing here is taken from a plan.
func desiredState() *facts.Facts {
	f := podFixture(nic{name: "eth0", net: 6, v4: true, defaults: true})
	hostVeth(f)
	pod, node := netip.MustParseAddr("10.6.1.2"), netip.MustParseAddr("10.6.0.10")
	for _, dev := range []string{"all", "default", "eth0", "veth0"} {
		f.Pod.Sysctls[facts.RPFilter(dev)] = "0"
	}
	f.Host.Sysctls["net/ipv6/conf/veth0123456789a/accept_ra"] = "0"
	for _, dst := range []string{"10.6.0.10/32", "192.168.9.1/32"} {
		f.Pod.Routes = append(f.Pod.Routes, facts.Route{
			Dst: netip.MustParsePrefix(dst), Dev: "veth0", Src: pod, Table: 254, Proto: 92, Scope: 253,
		})
	}
	for _, dst := range []string{"10.233.64.0/18", "10.233.0.0/18", "169.254.0.0/16"} {
		f.Pod.Routes = append(f.Pod.Routes, facts.Route{
			Dst: netip.MustParsePrefix(dst), Gw: node, Dev: "veth0", Src: pod, Table: 254, Proto: 92,
		})
	}
	f.Pod.Routes = append(f.Pod.Routes, facts.Route{
		Dst: netip.MustParsePrefix("0.0.0.0/0"), Gw: node, Dev: "veth0", Src: pod, Table: 5000, Proto: 92,
	})
	f.Pod.Routes = append(f.Pod.Routes, facts.Route{
		Dst: netip.MustParsePrefix("0.0.0.0/0"), Gw: netip.MustParseAddr("10.6.0.1"), Dev: "eth0", Src: pod, Table: 4999, Proto: 92,
	})
	f.Pod.Rules = []facts.Rule{
		{Family: 4, Priority: 1000, Mark: 0x20000000, Mask: 0x20000000, Table: 5000, Proto: 92},
		{Family: 4, Priority: 32768, Table: 5000, Proto: 92},
	}
	f.Pod.Neighs = []facts.Neigh{
		{Dev: "veth0", IP: node, MAC: hostVethMAC, Permanent: true},
		{Dev: "veth0", IP: netip.MustParseAddr("192.168.9.1"), MAC: hostVethMAC, Permanent: true},
	}
	f.Pod.Marks[4] = facts.MarksComplete
	f.Host.Routes = []facts.Route{{Dst: netip.PrefixFrom(pod, 32), Dev: "veth0123456789a", Src: node, Table: 500, Proto: 92, Scope: 253}}
	f.Host.Rules = []facts.Rule{{Family: 4, Priority: 1000, Table: 500, Proto: 92}}
	f.Host.Neighs = []facts.Neigh{{Dev: "veth0123456789a", IP: pod, MAC: podVethMAC, Permanent: true}}
	return f
}

func TestThePlanIsWhatDiffersFromTheDesiredState(t *testing.T) {
	dropRoute := func(dst string, table int) func(*facts.Facts) {
		return func(f *facts.Facts) {
			f.Pod.Routes = slices.DeleteFunc(f.Pod.Routes, func(r facts.Route) bool { return r.Dst.String() == dst && r.Table == table })
		}
	}
	for _, test := range []struct {
		name   string
		change func(*facts.Facts)
		want   string
	}{
		{"nothing", func(*facts.Facts) {}, ""},
		{"entries of others", otherProgramsOfThePod, ""},
		{"pod's route to the node", dropRoute("10.6.0.10/32", 254), "add route 10.6.0.10/32 dev veth0 src 10.6.1.2 table main to the pod"},
		{"pod's route to a CIDR", dropRoute("10.233.0.0/18", 254), "add route 10.233.0.0/18 via 10.6.0.10 dev veth0 src 10.6.1.2 table main to the pod"},
		{"pod's mark route", dropRoute("0.0.0.0/0", 5000), "add route default via 10.6.0.10 dev veth0 src 10.6.1.2 table 5000 to the pod"},
		{"pod's mark rule", func(f *facts.Facts) { f.Pod.Rules = f.Pod.Rules[1:] }, "add IPv4 rule pref 1000 from all fwmark 0x20000000/0x20000000 lookup 5000 to the pod"},
		{"pod's last rule", func(f *facts.Facts) { f.Pod.Rules = f.Pod.Rules[:1] }, "add IPv4 rule pref 32768 from all lookup 5000 to the pod"},
		{"pod's kept default route", dropRoute("0.0.0.0/0", 4999), "add route default via 10.6.0.1 dev eth0 src 10.6.1.2 table 4999 to the pod"},
		{"pod's neighbour", func(f *facts.Facts) { f.Pod.Neighs[0].MAC = "02:00:00:00:00:01" }, "add permanent neighbour 10.6.0.10 lladdr " + hostVethMAC + " dev veth0 to the pod"},
		{"nftables table", func(f *facts.Facts) { delete(f.Pod.Marks, 4) }, "write the nftables table ip spidercoordinator in the pod"},
		{"rp_filter", func(f *facts.Facts) { f.Pod.Sysctls[facts.RPFilter("eth0")] = "1" }, "set sysctl net.ipv4.conf.eth0.rp_filter of the pod to 0"},
		{"MTU", func(f *facts.Facts) { f.Host.Links[1].MTU = 1400 }, "set the MTU of veth0123456789a of the node to 1500"},
		{"link", func(f *facts.Facts) { f.Pod.Links[2].Up = false }, "set link veth0 of the pod up"},
		{"alias", func(f *facts.Facts) { f.Host.Links[1].Alias = "" }, `set the alias of veth0123456789a of the node to "spidercoordinator ` + container + ` eth0 net"`},
		{"node's route", func(f *facts.Facts) { f.Host.Routes = nil }, "add route 10.6.1.2/32 dev veth0123456789a src 10.6.0.10 table 500 to the node"},
		{"node's rule", func(f *facts.Facts) { f.Host.Rules = nil }, "add IPv4 rule pref 1000 from all lookup 500 to the node"},
		{"node's neighbour", func(f *facts.Facts) { f.Host.Neighs = nil }, "add permanent neighbour 10.6.1.2 lladdr 02:00:00:00:00:aa dev veth0123456789a to the node"},
		{"a stale neighbour", func(f *facts.Facts) {
			f.Host.Neighs = append(f.Host.Neighs, facts.Neigh{Dev: "old", IP: netip.MustParseAddr("10.6.1.2")})
		}, "delete neighbour 10.6.1.2 dev old of the node"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := desiredState()
			test.change(f)
			plan, err := Add(f, request("eth0"))
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(plan.Ops); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func otherProgramsOfThePod(f *facts.Facts) {
	f.Pod.Rules = append(f.Pod.Rules, facts.Rule{Family: facts.V4, Priority: 32764, Mark: 0x111, Mask: 0xfff, Table: 100})
	f.Pod.Routes = append(f.Pod.Routes, facts.Route{Dst: netip.MustParsePrefix("203.0.113.0/24"), Dev: "lo", Table: 100})
	f.Host.Routes = append(f.Host.Routes, facts.Route{Dst: netip.MustParsePrefix("10.6.9.9/32"), Dev: "old", Table: 500})
}

func TestTheDefaultRouteReturnsToTheMainTable(t *testing.T) {
	eth0, net1 := nic{name: "eth0", net: 6, v4: true, defaults: true}, nic{name: "net1", net: 7, v4: true, defaults: true}
	gateways := map[facts.Family]netip.Addr{facts.V4: netip.MustParseAddr("10.7.0.1")}
	for _, test := range []struct {
		name   string
		change func(*facts.Facts, *Request)
		want   []string
	}{
		{"of the interface that is configured", func(f *facts.Facts, req *Request) {
			movedDefault(f, eth0)
			req.Config.DefaultRouteNIC = "eth0"
		}, []string{"add route default via 10.6.0.1 dev eth0 table main to the pod", "delete route default via 10.7.0.1 dev net1 table main of the pod"}},
		{"not of another", func(f *facts.Facts, _ *Request) { movedDefault(f, eth0) }, nil},
		{"when it was deleted and no other interface has one", func(f *facts.Facts, req *Request) {
			f.Pod.Routes = slices.DeleteFunc(f.Pod.Routes, facts.Route.IsDefault)
			req.Gateways = gateways
		}, []string{"add route default via 10.7.0.1 dev net1 src 10.7.1.3 table 5001 to the pod", "add route default via 10.7.0.1 dev net1 src 10.7.1.3 table main to the pod"}},
		{"into the interface's table when it was deleted and another interface has one", func(f *facts.Facts, req *Request) {
			f.Pod.Routes = slices.DeleteFunc(f.Pod.Routes, func(r facts.Route) bool { return r.IsDefault() && r.Dev == "net1" })
			req.Gateways = gateways
		}, []string{"add route default via 10.7.0.1 dev net1 src 10.7.1.3 table 5001 to the pod"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := podFixture(eth0, net1)
			hostVeth(f)
			req := request("net1")
			test.change(f, req)
			plan, err := Add(f, req)
			if err != nil {
				t.Fatal(err)
			}
			if got := defaultRoutesOfInterfaces(plan.Ops); !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

// defaultRoutesOfInterfaces are the descriptions of the changes of default routes in the main table,
// and of default routes that this plugin makes itself elsewhere; copies and veth0's are left out.
func defaultRoutesOfInterfaces(ops []Op) []string {
	var changes []string
	for _, op := range ops {
		text := op.Do.String()
		put, isPut := op.Do.(PutRoute)
		byPlugin := isPut && put.Route.Proto == facts.Proto && put.Route.Dev != facts.PodVeth
		if strings.Contains(text, "route default") && (strings.Contains(text, "table main") || byPlugin) {
			changes = append(changes, text)
		}
	}
	slices.Sort(changes)
	return changes
}
