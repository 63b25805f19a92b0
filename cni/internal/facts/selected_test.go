package facts

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// message joins a fixed header and routing attributes.
func message(header nl.NetlinkRequestData, attrs ...*nl.RtAttr) []byte {
	encoded := header.Serialize()
	for _, attr := range attrs {
		encoded = append(encoded, attr.Serialize()...)
	}
	return encoded
}

func addrMessage(family, prefixLen, flags uint8, attrs ...*nl.RtAttr) []byte {
	return message(&nl.IfAddrmsg{IfAddrmsg: unix.IfAddrmsg{Family: family, Prefixlen: prefixLen, Flags: flags, Index: 2}}, attrs...)
}

func ip(kind int, text string) *nl.RtAttr {
	return nl.NewRtAttr(kind, netip.MustParseAddr(text).AsSlice())
}

func TestAddressesAreDecoded(t *testing.T) {
	flags := func(value uint32) *nl.RtAttr { return nl.NewRtAttr(unix.IFA_FLAGS, nl.Uint32Attr(value)) }
	for _, test := range []struct {
		name    string
		message []byte
		want    Addr
	}{
		{"IPv4", addrMessage(unix.AF_INET, 16, unix.IFA_F_PERMANENT, ip(unix.IFA_ADDRESS, "10.6.0.10"), ip(unix.IFA_LOCAL, "10.6.0.10")),
			Addr{Dev: "eth0", Prefix: netip.MustParsePrefix("10.6.0.10/16")}},
		{"IPv4 with a peer", addrMessage(unix.AF_INET, 24, unix.IFA_F_PERMANENT, ip(unix.IFA_ADDRESS, "10.9.0.1"), ip(unix.IFA_LOCAL, "10.6.0.10")),
			Addr{Dev: "eth0", Prefix: netip.MustParsePrefix("10.6.0.10/32")}},
		{"IPv6", addrMessage(unix.AF_INET6, 64, unix.IFA_F_PERMANENT, ip(unix.IFA_ADDRESS, "fd00::a")),
			Addr{Dev: "eth0", Prefix: netip.MustParsePrefix("fd00::a/64")}},
		{"flags that need more than eight bits", addrMessage(unix.AF_INET6, 64, 0, ip(unix.IFA_ADDRESS, "fd00::a"), flags(unix.IFA_F_TENTATIVE|unix.IFA_F_NOPREFIXROUTE)),
			Addr{Dev: "eth0", Prefix: netip.MustParsePrefix("fd00::a/64"), Tentative: true, Dynamic: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := fromAddr(toNetlinkAddr(test.message), testLinkName); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestAttributesOfDamagedMessages(t *testing.T) {
	whole := message(&nl.RtMsg{}, nl.NewRtAttr(unix.RTA_TABLE, nl.Uint32Attr(500)), ip(unix.RTA_DST, "10.0.0.1"))
	for length := range len(whole) {
		if got := attribute(whole[:length], unix.SizeofRtMsg, unix.RTA_DST); got != nil {
			t.Errorf("of %d bytes: got %v", length, got)
		}
	}
	if got := attribute(whole, unix.SizeofRtMsg, unix.RTA_DST); !bytes.Equal(got, []byte{10, 0, 0, 1}) {
		t.Errorf("got %v", got)
	}
	endless := append((&nl.RtMsg{}).Serialize(), 0, 0, 0, 0, 0, 0, 0, 0)
	if got := attribute(endless, unix.SizeofRtMsg, unix.RTA_DST); got != nil {
		t.Errorf("an attribute without length: got %v", got)
	}
}
