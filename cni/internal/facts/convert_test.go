package facts

import (
	"fmt"
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
		"kube-bridge": false, "kube-dummy-if": false, "nodelocaldns": false, "br-0123456789ab": false, "br-0123456789": true, "vx-submariner": false, "vxlan.calico": true,
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

func TestAddressesAreInTheOrderInWhichALinkGotThem(t *testing.T) {
	var dumped []netlink.Addr
	for _, entry := range []struct {
		index   int
		address string
		flags   int
	}{
		{2, "10.6.0.10/16", unix.IFA_F_PERMANENT}, {2, "10.6.0.99/16", unix.IFA_F_PERMANENT | unix.IFA_F_SECONDARY},
		{3, "10.7.0.10/16", unix.IFA_F_PERMANENT},
		{2, "fd00::3/64", unix.IFA_F_TEMPORARY}, {2, "fd00::2/64", unix.IFA_F_PERMANENT | unix.IFA_F_DEPRECATED}, {2, "fd00::1/64", unix.IFA_F_PERMANENT},
		{3, "fd01::2/64", 0}, {3, "fd01::1/64", unix.IFA_F_PERMANENT},
	} {
		prefix := netip.MustParsePrefix(entry.address)
		network := ToIPNet(prefix)
		network.IP = prefix.Addr().AsSlice()
		dumped = append(dumped, netlink.Addr{IPNet: network, LinkIndex: entry.index, Flags: entry.flags})
	}
	var got []string
	for _, addr := range fromAddrs(dumped, func(index int) string { return fmt.Sprint("eth", index) }) {
		got = append(got, fmt.Sprintf("%s %s %t %t", addr.Dev, addr.Prefix.Addr(), addr.Passing, addr.Dynamic))
	}
	want := []string{
		"eth2 10.6.0.10 false false", "eth2 10.6.0.99 false false", "eth3 10.7.0.10 false false",
		"eth2 fd00::1 false false", "eth2 fd00::2 true false", "eth2 fd00::3 true true",
		"eth3 fd01::1 false false", "eth3 fd01::2 false true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
