package apply

import (
	"encoding/binary"
	"net"
	"net/netip"
)

// Numbers of Ethernet, ARP (RFC 826) and neighbour discovery (RFC 4861).
const (
	etherARP, etherIPv6         = 0x0806, 0x86dd
	arpRequest                  = 1
	etherLen, arpLen            = 14, 28
	ipv6Len, neighborMessageLen = 40, 32
	icmpv6                      = 58
	typeNeighborSolicitation    = 135
	typeNeighborAdvertisement   = 136
	optionSourceLinkAddr        = 1
	optionTargetLinkAddr        = 2
	flagOverride                = 0x20
	hopLimit                    = 255 // receivers drop anything less: it was forwarded by a router
	offsetTarget                = etherLen + ipv6Len + 8
	offsetICMP                  = etherLen + ipv6Len
	offsetARPMAC, offsetARP     = etherLen + 8, etherLen + 14
)

var (
	broadcast = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	allNodes  = netip.MustParseAddr("ff02::1")
)

func ethernet(to, from net.HardwareAddr, kind uint16) []byte {
	frame := make([]byte, 0, etherLen+ipv6Len+neighborMessageLen)
	frame = append(append(frame, to...), from...)
	return binary.BigEndian.AppendUint16(frame, kind)
}

// arpFrame encodes a broadcast ARP request. With equal sender and target it is gratuitous ARP, with an
// unspecified sender an ARP probe (RFC 5227).
func arpFrame(mac net.HardwareAddr, sender, target netip.Addr) []byte {
	frame := ethernet(broadcast, mac, etherARP)
	frame = append(frame, 0, 1, 8, 0, 6, 4, 0, arpRequest)
	frame = append(append(frame, mac...), sender.AsSlice()...)
	return append(append(frame, 0, 0, 0, 0, 0, 0), target.AsSlice()...)
}

// neighborSolicitation encodes an NS; from the unspecified address it is the one of duplicate address
// detection (RFC 4862) and has no source link-layer address option.
func neighborSolicitation(mac net.HardwareAddr, sender, target netip.Addr) []byte {
	last := target.As16()
	group := netip.AddrFrom16([16]byte{0xff, 2, 11: 1, 12: 0xff, 13: last[13], 14: last[14], 15: last[15]})
	body := append([]byte{typeNeighborSolicitation, 0, 0, 0, 0, 0, 0, 0}, target.AsSlice()...)
	if !sender.IsUnspecified() {
		body = append(append(body, optionSourceLinkAddr, 1), mac...)
	}
	return ipv6(mac, sender, group, body)
}

// neighborAdvertisement encodes an unsolicited NA with the override flag, as the body of ICMPv6; the
// kernel fills in the checksum.
func neighborAdvertisement(mac net.HardwareAddr, target netip.Addr) []byte {
	body := append([]byte{typeNeighborAdvertisement, 0, 0, 0, flagOverride, 0, 0, 0}, target.AsSlice()...)
	return append(append(body, optionTargetLinkAddr, 1), mac...)
}

func ipv6(mac net.HardwareAddr, sender, group netip.Addr, body []byte) []byte {
	last := group.As16()
	frame := ethernet(net.HardwareAddr{0x33, 0x33, last[12], last[13], last[14], last[15]}, mac, etherIPv6)
	frame = append(frame, 0x60, 0, 0, 0, 0, byte(len(body)), icmpv6, hopLimit)
	frame = append(append(frame, sender.AsSlice()...), group.AsSlice()...)
	binary.BigEndian.PutUint16(body[2:], checksum(sender, group, body))
	return append(frame, body...)
}

// checksum is that of ICMPv6, over a pseudo header and the body.
func checksum(sender, group netip.Addr, body []byte) uint16 {
	data := append(sender.AsSlice(), group.AsSlice()...)
	data = append(data, 0, 0, 0, byte(len(body)), 0, 0, 0, icmpv6)
	data = append(data, body...)
	if len(data)%2 == 1 {
		data = append(data, 0)
	}
	var sum uint32
	for ; len(data) > 0; data = data[2:] {
		sum += uint32(binary.BigEndian.Uint16(data))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// claimedAddress decodes the claim of an address in a frame: the sender of an ARP packet, the target of
// an NA, and the target of another host's duplicate address detection.
func claimedAddress(frame []byte) (ip netip.Addr, mac net.HardwareAddr, ok bool) {
	if len(frame) < etherLen+arpLen {
		return ip, nil, false
	}
	mac = net.HardwareAddr(frame[6:12])
	switch binary.BigEndian.Uint16(frame[12:]) {
	case etherARP:
		ip, ok = netip.AddrFromSlice(frame[offsetARP : offsetARP+4])
		return ip, net.HardwareAddr(frame[offsetARPMAC : offsetARPMAC+6]), ok && !ip.IsUnspecified()
	case etherIPv6:
		if len(frame) < offsetTarget+16 || frame[etherLen+6] != icmpv6 || frame[etherLen+7] != hopLimit {
			return ip, nil, false
		}
		ip, ok = netip.AddrFromSlice(frame[offsetTarget : offsetTarget+16])
		probe := frame[offsetICMP] == typeNeighborSolicitation && netip.AddrFrom16([16]byte(frame[etherLen+8:etherLen+24])).IsUnspecified()
		return ip, mac, ok && (frame[offsetICMP] == typeNeighborAdvertisement || probe)
	}
	return ip, nil, false
}
