package plan

import (
	"net/netip"
	"testing"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

func TestTheGatewayIsAnAddressThatStays(t *testing.T) {
	passing := func(addr facts.Addr) facts.Addr { addr.Passing = true; return addr }
	tentative := func(addr facts.Addr) facts.Addr { addr.Tentative = true; return addr }
	failed := func(addr facts.Addr) facts.Addr { addr.DADFailed = true; return addr }
	on := func(dev, prefix string) facts.Addr {
		return facts.Addr{Dev: dev, Prefix: netip.MustParsePrefix(prefix)}
	}
	eth0 := func(prefix string) facts.Addr { return on("eth0", prefix) }
	for _, test := range []struct {
		name   string
		addrs  []facts.Addr // the oldest of a link first
		source string       // the kernel's choice for the default route
		pod    string
		want   string
	}{
		{"the pod's subnet", []facts.Addr{eth0("10.1.0.1/16"), on("eth1", "10.6.0.1/16")}, "10.1.0.1", "10.6.1.5", "10.6.0.1"},
		{"the smaller subnet", []facts.Addr{eth0("10.6.0.1/8"), on("eth1", "10.6.0.2/16")}, "10.6.0.1", "10.6.1.5", "10.6.0.2"},
		{"the default route's", []facts.Addr{eth0("10.1.0.1/16"), on("eth1", "10.2.0.1/16")}, "10.2.0.1", "10.6.1.5", "10.2.0.1"},
		{"the default route's of one subnet", []facts.Addr{eth0("10.6.0.9/16"), eth0("10.6.0.1/16")}, "10.6.0.1", "10.6.1.5", "10.6.0.1"},
		{"the default route's on lo", []facts.Addr{on("lo", "10.0.0.1/32")}, "10.0.0.1", "10.6.1.5", "10.0.0.1"},
		{"no default route", []facts.Addr{passing(eth0("10.1.0.9/16")), eth0("10.1.0.1/16")}, "", "10.6.1.5", "10.1.0.1"},
		{"IPv6: the oldest of one subnet", []facts.Addr{eth0("fd00::1/64"), eth0("fd00::9/64")}, "fd00::9", "fd00::1:5", "fd00::1"},
		{"IPv6: the oldest of the default route's", []facts.Addr{eth0("fd01::1/64"), eth0("fd00::1/64"), eth0("fd00::9/128")}, "fd00::9", "fd02::5", "fd00::1"},
		{"IPv6: DHCP's alone", []facts.Addr{eth0("fd00::9/128")}, "fd00::9", "fd02::5", "fd00::9"},
		{"IPv6: not a temporary one", []facts.Addr{passing(eth0("fd00::9/64")), eth0("fd00::1/64")}, "fd00::9", "fd00::1:5", "fd00::1"},
		{"IPv6: not a deprecated one, though its subnet is smaller", []facts.Addr{passing(eth0("fd00::9/80")), eth0("fd00::1/64")}, "fd00::1", "fd00::1:5", "fd00::1"},
		{"IPv6: not a deprecated one of the pod's subnet", []facts.Addr{passing(eth0("fd02::9/64")), eth0("fd00::1/64")}, "fd00::1", "fd02::5", "fd00::1"},
		{"IPv6: not one that is not there yet", []facts.Addr{tentative(on("br7", "fd00::7/64")), eth0("fd00::1/64")}, "fd00::1", "fd00::1:5", "fd00::1"},
		{"IPv6: a deprecated one alone", []facts.Addr{passing(eth0("fd00::9/64")), failed(eth0("fd00::1/64"))}, "", "fd00::1:5", "fd00::9"},
	} {
		t.Run(test.name, func(t *testing.T) {
			pod := netip.MustParseAddr(test.pod)
			family := facts.FamilyOf(pod)
			f := &facts.Facts{Host: facts.NetnsState{Addrs: test.addrs}, Sources: map[facts.Family]netip.Addr{}}
			if test.source != "" {
				f.Sources[family] = netip.MustParseAddr(test.source)
			}
			if got := nodeAddresses(f, family, pod); len(got) == 0 || got[0].String() != test.want {
				t.Errorf("got %v, want %s first", got, test.want)
			}
		})
	}
}
