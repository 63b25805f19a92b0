package facts

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// routeMessage makes the message of a unicast route.
func routeMessage(family, table, length uint8, attrs ...*nl.RtAttr) []byte {
	return message(&nl.RtMsg{RtMsg: unix.RtMsg{Family: family, Table: table, Dst_len: length, Type: unix.RTN_UNICAST}}, attrs...)
}

func number32(kind int, value uint32) *nl.RtAttr { return nl.NewRtAttr(kind, nl.Uint32Attr(value)) }

// nexthops makes RTA_MULTIPATH.
func nexthops(hops ...[]byte) *nl.RtAttr {
	return nl.NewRtAttr(unix.RTA_MULTIPATH, slices.Concat(hops...))
}

func nexthop(link int32, flags uint8, attrs ...*nl.RtAttr) []byte {
	header := nl.RtNexthop{RtNexthop: unix.RtNexthop{Ifindex: link, Flags: flags}}
	for _, attr := range attrs {
		header.Children = append(header.Children, attr)
	}
	return header.Serialize()
}

func TestRoutesAreSelectedUndecoded(t *testing.T) {
	for _, test := range []struct {
		name    string
		message []byte
		family  Family
		table   int
		dst     string
	}{
		{"IPv4", routeMessage(unix.AF_INET, 254, 8, ip(unix.RTA_DST, "10.0.0.0")), V4, 254, "10.0.0.0/8"},
		{"a default route", routeMessage(unix.AF_INET6, 254, 0), V6, 254, "::/0"},
		{"a table above 255", routeMessage(unix.AF_INET6, 252, 128, nl.NewRtAttr(unix.RTA_TABLE, nl.Uint32Attr(500)), ip(unix.RTA_DST, "fd00::5")), V6, 500, "fd00::5/128"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if table, dst := tableOf(test.message), destination(test.message, test.family); table != test.table || dst.String() != test.dst {
				t.Errorf("got table %d, destination %s", table, dst)
			}
		})
	}
}

func TestRoutesAreDecoded(t *testing.T) {
	metrics := nl.NewRtAttr(unix.RTA_METRICS, nil)
	metrics.AddRtAttr(unix.RTAX_MTU, nl.Uint32Attr(1400))
	metrics.AddRtAttr(unix.RTAX_ADVMSS, nl.Uint32Attr(900))
	eth0, router := number32(unix.RTA_OIF, 2), ip(unix.RTA_GATEWAY, "10.6.0.1")
	all := routeMessage(unix.AF_INET, 254, 8, ip(unix.RTA_DST, "10.0.0.0"), router, eth0, ip(unix.RTA_PREFSRC, "10.6.1.5"), number32(unix.RTA_PRIORITY, 7), metrics)
	header := nl.DeserializeRtMsg(all)
	header.Protocol, header.Flags = 17, unix.RTNH_F_ONLINK
	want := Route{
		Dst: netip.MustParsePrefix("10.0.0.0/8"), Gw: netip.MustParseAddr("10.6.0.1"), Dev: "eth0", Src: netip.MustParseAddr("10.6.1.5"),
		Table: 254, Metric: 7, MTU: 1400, AdvMSS: 900, Proto: 17, Onlink: true,
	}
	blackhole := routeMessage(unix.AF_INET, 254, 8, ip(unix.RTA_DST, "10.0.0.0"))
	nl.DeserializeRtMsg(blackhole).Type = unix.RTN_BLACKHOLE
	service := routeMessage(unix.AF_INET, 254, 0, router, eth0)
	nl.DeserializeRtMsg(service).Tos = 0x10
	v4 := Route{Dst: netip.MustParsePrefix("0.0.0.0/0"), Gw: netip.MustParseAddr("10.6.0.1"), Dev: "eth0", Table: 254}
	v4Second := Route{Dst: v4.Dst, Gw: netip.MustParseAddr("10.7.0.1"), Dev: "net1", Table: 254}
	withoutRouter := v4
	withoutRouter.Gw = netip.Addr{}
	v6 := Route{Dst: netip.MustParsePrefix("::/0"), Gw: netip.MustParseAddr("fd00::1"), Dev: "eth0", Table: 254, Metric: 1024}
	v6Second := Route{Dst: v6.Dst, Gw: netip.MustParseAddr("fd00::2"), Dev: "net1", Table: 254, Metric: 1024, Onlink: true}
	bothV4 := nexthops(nexthop(2, 0, router), nexthop(3, 0, ip(unix.RTA_GATEWAY, "10.7.0.1")))
	bothV6 := nexthops(nexthop(2, 0, ip(unix.RTA_GATEWAY, "fd00::1")), nexthop(3, unix.RTNH_F_ONLINK, ip(unix.RTA_GATEWAY, "fd00::2")))
	metric := number32(unix.RTA_PRIORITY, 1024)
	for _, test := range []struct {
		name    string
		message []byte
		family  Family
		want    []Route
		special []Route
	}{
		{"all attributes", all, V4, []Route{want}, nil},
		{"another type", blackhole, V4, nil, []Route{{Dst: netip.MustParsePrefix("10.0.0.0/8"), Table: 254, Type: unix.RTN_BLACKHOLE}}},
		{"for a type of service", service, V4, nil, []Route{v4}},
		{"IPv4 by an IPv6 router", routeMessage(unix.AF_INET, 254, 0, eth0, nl.NewRtAttr(unix.RTA_VIA, make([]byte, 18))), V4, nil, []Route{withoutRouter}},
		{"by a tunnel of whatever kind", routeMessage(unix.AF_INET, 254, 0, eth0, router, nl.NewRtAttr(unix.RTA_ENCAP, make([]byte, 8))), V4, nil, []Route{v4}},
		{"by a nexthop object", routeMessage(unix.AF_INET, 254, 0, eth0, router, number32(attrNexthopID, 7)), V4, nil, []Route{v4}},
		{"IPv4 with several next hops", routeMessage(unix.AF_INET, 254, 0, bothV4), V4, nil, []Route{v4, v4Second}},
		{"IPv6 with several next hops is split", routeMessage(unix.AF_INET6, 254, 0, metric, bothV6), V6, []Route{v6, v6Second}, nil},
		{"by a group of nexthop objects", routeMessage(unix.AF_INET6, 254, 0, metric, bothV6, number32(attrNexthopID, 9)), V6, nil, []Route{v6, v6Second}},
		{"IPv6 with a tunnel among several next hops", routeMessage(unix.AF_INET6, 254, 0, metric,
			nexthops(nexthop(2, 0, ip(unix.RTA_GATEWAY, "fd00::1"), nl.NewRtAttr(unix.RTA_ENCAP, make([]byte, 4))))), V6, nil, []Route{v6}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got NetnsState
			got.addRoute(decodeRoute(test.message, test.family), testLinkName)
			if !slices.Equal(got.Routes, test.want) || !slices.Equal(got.Special, test.special) {
				t.Errorf("got %+v, %+v", got.Routes, got.Special)
			}
		})
	}
}

func TestDamagedNextHopsEnd(t *testing.T) {
	whole := nexthop(2, 0, ip(unix.RTA_GATEWAY, "10.6.0.1"))
	for length := range len(whole) {
		got := decodeRoute(routeMessage(unix.AF_INET, 254, 0, nexthops(whole[:length])), V4)
		if len(got.hops) > 0 {
			t.Errorf("of %d bytes: got %+v", length, got.hops)
		}
	}
}

func TestRoutesOfTheFamilyAndTableThatWereAskedFor(t *testing.T) {
	for _, test := range []struct {
		name   string
		header unix.RtMsg
		family Family
		table  int
		want   bool
	}{
		{"the same", unix.RtMsg{Family: unix.AF_INET, Table: 254}, V4, TableMain, true},
		{"any table", unix.RtMsg{Family: unix.AF_INET6, Table: 100}, V6, unix.RT_TABLE_UNSPEC, true},
		{"another table", unix.RtMsg{Family: unix.AF_INET, Table: 100}, V4, TableMain, false},
		{"a cached one", unix.RtMsg{Family: unix.AF_INET6, Table: 254, Flags: unix.RTM_F_CLONED}, V6, TableMain, false},
		{"IPv4 of a kernel without IPv6", unix.RtMsg{Family: unix.AF_INET, Table: 254}, V6, TableMain, false},
		{"the same of all tables", unix.RtMsg{Family: unix.AF_INET, Table: 254}, V6, unix.RT_TABLE_UNSPEC, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			message := (&nl.RtMsg{RtMsg: test.header}).Serialize()
			if got := isRouteOf(message, test.family, test.table); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}
