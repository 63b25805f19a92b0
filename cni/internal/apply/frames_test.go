package apply

import (
	"bytes"
	"encoding/hex"
	"net"
	"net/netip"
	"testing"
)

var testMAC = net.HardwareAddr{0x0a, 0x1b, 0x0a, 6, 1, 5}

// advertisement is the frame that the kernel makes of an unsolicited NA.
func advertisement(target netip.Addr) []byte {
	return ipv6(testMAC, target, allNodes, neighborAdvertisement(testMAC, target))
}

func TestARPAnnouncement(t *testing.T) {
	ip := netip.MustParseAddr("10.6.1.5")
	want := "ffffffffffff" + "0a1b0a060105" + "0806" + "0001080006040001" + "0a1b0a060105" + "0a060105" + "000000000000" + "0a060105"
	if got := hex.EncodeToString(arpFrame(testMAC, ip, ip)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestNeighbourMessagesHaveAValidChecksum(t *testing.T) {
	target := netip.MustParseAddr("64:ff9b::a06:105")
	for name, frame := range map[string][]byte{
		"advertisement": advertisement(target),
		"question":      neighborSolicitation(testMAC, netip.MustParseAddr("fd00::1"), target),
		"probe":         neighborSolicitation(testMAC, netip.IPv6Unspecified(), target),
	} {
		t.Run(name, func(t *testing.T) {
			sender := netip.AddrFrom16([16]byte(frame[22:38]))
			group := netip.AddrFrom16([16]byte(frame[38:54]))
			if int(frame[19]) != len(frame)-offsetICMP {
				t.Errorf("length %d of a body of %d", frame[19], len(frame)-offsetICMP)
			}
			if sum := checksum(sender, group, frame[offsetICMP:]); sum != 0 {
				t.Errorf("checksum is off by %#x", sum)
			}
			if !bytes.Equal(frame[:2], []byte{0x33, 0x33}) {
				t.Errorf("not a multicast frame: %x", frame[:6])
			}
		})
	}
}

func TestClaimedAddress(t *testing.T) {
	four, six := netip.MustParseAddr("10.6.1.5"), netip.MustParseAddr("fd00::5")
	for _, test := range []struct {
		name  string
		frame []byte
		ip    netip.Addr
		ok    bool
	}{
		{"ARP announcement", arpFrame(testMAC, four, four), four, true},
		{"ARP probe claims nothing", arpFrame(testMAC, netip.IPv4Unspecified(), four), four, false},
		{"advertisement", advertisement(six), six, true},
		{"probe of somebody else", neighborSolicitation(testMAC, netip.IPv6Unspecified(), six), six, true},
		{"a question claims nothing", neighborSolicitation(testMAC, netip.MustParseAddr("fd00::1"), six), six, false},
		{"a short frame", make([]byte, 20), four, false},
		{"another protocol", make([]byte, 90), four, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			ip, mac, ok := claimedAddress(test.frame)
			if ok != test.ok || (ok && (ip != test.ip || !bytes.Equal(mac, testMAC))) {
				t.Errorf("got %s %s %t", ip, mac, ok)
			}
		})
	}
}

func FuzzClaimedAddress(f *testing.F) {
	f.Add(advertisement(netip.MustParseAddr("fd00::5")))
	f.Add(arpFrame(testMAC, netip.MustParseAddr("10.6.1.5"), netip.MustParseAddr("10.6.1.5")))
	f.Fuzz(func(t *testing.T, frame []byte) {
		if ip, mac, ok := claimedAddress(frame); ok && (!ip.IsValid() || len(mac) != 6) {
			t.Errorf("claimed %s by %s", ip, mac)
		}
	})
}
