package facts

import (
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func testLinkName(index int) string { return map[int]string{2: "eth0", 3: "net1"}[index] }

func ipNet(t *testing.T, text string) *net.IPNet {
	t.Helper()
	_, network, err := net.ParseCIDR(text)
	if err != nil {
		t.Fatal(err)
	}
	return network
}

func TestRoutesAreConverted(t *testing.T) {
	plain := netlink.Route{
		LinkIndex: 2, Dst: ipNet(t, "10.0.0.0/8"), Gw: net.ParseIP("10.6.0.1"), Src: net.ParseIP("10.6.1.5"), Table: 254,
		Priority: 7, MTU: 1400, AdvMSS: 900, Protocol: 17, Family: unix.AF_INET, Type: unix.RTN_UNICAST, Flags: unix.RTNH_F_ONLINK,
	}
	want := Route{
		Dst: netip.MustParsePrefix("10.0.0.0/8"), Gw: netip.MustParseAddr("10.6.0.1"), Dev: "eth0", Src: netip.MustParseAddr("10.6.1.5"),
		Table: 254, Metric: 7, MTU: 1400, AdvMSS: 900, Proto: 17, Onlink: true,
	}
	withoutRouter := want
	withoutRouter.Gw = netip.Addr{}
	changed := func(change func(*netlink.Route)) netlink.Route {
		route := plain
		change(&route)
		return route
	}
	six := netlink.Route{Family: unix.AF_INET6, Type: unix.RTN_UNICAST, Table: 254, Priority: 1024, MultiPath: []*netlink.NexthopInfo{
		{LinkIndex: 2, Gw: net.ParseIP("fd00::1")}, {LinkIndex: 3, Gw: net.ParseIP("fd00::2"), Flags: unix.RTNH_F_ONLINK},
	}}
	everywhere := netip.MustParsePrefix("::/0")
	for _, test := range []struct {
		name    string
		route   netlink.Route
		want    []Route
		special []Route
	}{
		{"all attributes", plain, []Route{want}, nil},
		{"another type", netlink.Route{Dst: ipNet(t, "10.0.0.0/8"), Table: 254, Family: unix.AF_INET, Type: unix.RTN_BLACKHOLE}, nil,
			[]Route{{Dst: netip.MustParsePrefix("10.0.0.0/8"), Table: 254, Type: unix.RTN_BLACKHOLE}}},
		{"a cached one", changed(func(r *netlink.Route) { r.Flags = unix.RTM_F_CLONED }), nil, nil},
		{"IPv4 by an IPv6 router", changed(func(r *netlink.Route) { r.Gw, r.Via = nil, &netlink.Via{} }), nil, []Route{withoutRouter}},
		{"IPv4 with several next hops", netlink.Route{Family: unix.AF_INET, Type: unix.RTN_UNICAST, Table: 254, MultiPath: []*netlink.NexthopInfo{
			{LinkIndex: 2, Gw: net.ParseIP("10.6.0.1")}, {LinkIndex: 3, Gw: net.ParseIP("10.7.0.1")},
		}}, nil, []Route{
			{Dst: netip.MustParsePrefix("0.0.0.0/0"), Gw: netip.MustParseAddr("10.6.0.1"), Dev: "eth0", Table: 254},
			{Dst: netip.MustParsePrefix("0.0.0.0/0"), Gw: netip.MustParseAddr("10.7.0.1"), Dev: "net1", Table: 254},
		}},
		{"IPv6 with several next hops is split", six, []Route{
			{Dst: everywhere, Gw: netip.MustParseAddr("fd00::1"), Dev: "eth0", Table: 254, Metric: 1024},
			{Dst: everywhere, Gw: netip.MustParseAddr("fd00::2"), Dev: "net1", Table: 254, Metric: 1024, Onlink: true},
		}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got NetnsState
			got.addRoute(test.route, testLinkName)
			if !slices.Equal(got.Routes, test.want) || !slices.Equal(got.Special, test.special) {
				t.Errorf("got %+v, %+v", got.Routes, got.Special)
			}
		})
	}
}

func TestRulesWithOtherSelectorsAreForeign(t *testing.T) {
	mask := uint32(MarkBit)
	ours := netlink.NewRule()
	ours.Family, ours.Priority, ours.Table, ours.Mark, ours.Mask, ours.Protocol = unix.AF_INET, 1000, 5000, MarkBit, &mask, Proto
	want := Rule{Family: V4, Priority: 1000, Mark: MarkBit, Mask: MarkBit, Table: 5000, Proto: Proto}
	if got := fromRule(*ours); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for name, change := range map[string]func(*netlink.Rule){
		"destination": func(r *netlink.Rule) { r.Dst = ipNet(t, "10.0.0.0/8") },
		"interface":   func(r *netlink.Rule) { r.IifName = "eth0" },
		"not":         func(r *netlink.Rule) { r.Invert = true },
		"port":        func(r *netlink.Rule) { r.Dport = netlink.NewRulePortRange(1, 2) },
		"suppress":    func(r *netlink.Rule) { r.SuppressPrefixlen = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			other := *ours
			change(&other)
			if !fromRule(other).Foreign {
				t.Errorf("%+v is taken for one of ours", other)
			}
		})
	}
}

func TestToPrefix(t *testing.T) {
	for _, test := range []struct {
		network *net.IPNet
		family  int
		want    string
	}{
		{nil, unix.AF_INET, "0.0.0.0/0"},
		{nil, unix.AF_INET6, "::/0"},
		{&net.IPNet{IP: net.ParseIP("10.6.0.0"), Mask: net.CIDRMask(112, 128)}, unix.AF_INET, "10.6.0.0/16"},
		{ipNet(t, "fd00::/8"), unix.AF_INET6, "fd00::/8"},
	} {
		if got := toPrefix(test.network, test.family); got.String() != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

func TestNodeInterfaceExcludesLinksOfContainerNetworks(t *testing.T) {
	for name, want := range map[string]bool{
		"eth0": true, "br-ex": true, "bond0.100": true, "lo": false, "loop0": true, "docker0": false, "cali123": false, "cilium_host": false,
		"vx-submariner": false, "vxlan.calico": true,
	} {
		if NodeInterface(name) != want {
			t.Errorf("%s: got %t", name, !want)
		}
	}
}

func TestUsableAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"10.0.0.1": true, "fd00::1": true, "169.254.100.1": false, "fe80::1": false, "ff02::1": false, "127.0.0.1": false, "::": false,
	} {
		if IsUsable(netip.MustParseAddr(text)) != want {
			t.Errorf("%s: got %t", text, !want)
		}
	}
}
