package facts

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Offsets in the fixed headers (rtnetlink(7)).
const (
	offsetPrefixLen = 1 // ifaddrmsg and rtmsg: length of the address's or destination's prefix
	offsetRtTable   = 4 // rtmsg
	offsetNdState   = 8 // ndmsg
)

// usableAddrs lists the addresses of a namespace that other machines can talk to. A node has a link-local
// one for each link of each pod.
func usableAddrs(namespace *Namespace) ([]netlink.Addr, error) {
	messages, err := namespace.scan(unix.RTM_GETADDR, unix.RTM_NEWADDR, []nl.NetlinkRequestData{nl.NewIfAddrmsg(unix.AF_UNSPEC)},
		func(message []byte) bool { return IsUsable(localAddr(message)) })
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	addrs := make([]netlink.Addr, 0, len(messages))
	for _, message := range messages {
		addrs = append(addrs, toNetlinkAddr(message))
	}
	return addrs, nil
}

// localAddr is the link's own address: IFA_ADDRESS is that of the peer, where there is one.
func localAddr(message []byte) netip.Addr {
	local := attribute(message, unix.SizeofIfAddrmsg, unix.IFA_LOCAL)
	if local == nil {
		local = attribute(message, unix.SizeofIfAddrmsg, unix.IFA_ADDRESS)
	}
	return toAddr(local)
}

func toNetlinkAddr(message []byte) netlink.Addr {
	header, local := nl.DeserializeIfAddrmsg(message), localAddr(message)
	bits := int(header.Prefixlen)
	if peer := attribute(message, unix.SizeofIfAddrmsg, unix.IFA_ADDRESS); toAddr(peer) != local {
		bits = local.BitLen() // the prefix is the peer's
	}
	flags := int(number(attribute(message, unix.SizeofIfAddrmsg, unix.IFA_FLAGS), uint32(header.Flags)))
	return netlink.Addr{
		IPNet:     &net.IPNet{IP: local.AsSlice(), Mask: net.CIDRMask(bits, local.BitLen())},
		LinkIndex: int(header.Index), Scope: int(header.Scope), Flags: flags,
	}
}

// readNeighs lists the neighbours of families whose address matches. The kernel keeps one for each multicast
// group of each link (NUD_NOARP), which nobody asks for.
func readNeighs(namespace *Namespace, families []Family, match func(netip.Addr) bool, name linkNamer) ([]Neigh, error) {
	var converted []Neigh
	for _, family := range families {
		query := &netlink.Ndmsg{Family: uint8(KernelFamily(family))}
		messages, err := namespace.scan(unix.RTM_GETNEIGH, unix.RTM_NEWNEIGH, []nl.NetlinkRequestData{query}, func(message []byte) bool {
			return int(message[0]) == KernelFamily(family) && nl.NativeEndian().Uint16(message[offsetNdState:]) != unix.NUD_NOARP &&
				match(toAddr(attribute(message, unix.SizeofNdMsg, unix.NDA_DST)))
		})
		if err != nil && !lacksFamily(family, err) {
			return nil, fmt.Errorf("list %s neighbours: %w", family, err)
		}
		for _, message := range messages {
			neigh, err := netlink.NeighDeserialize(message)
			if err != nil {
				return nil, fmt.Errorf("decode a %s neighbour: %w", family, err)
			}
			converted = append(converted, Neigh{
				Dev: name(neigh.LinkIndex), IP: toAddr(neigh.IP), MAC: neigh.HardwareAddr.String(), Permanent: neigh.State&unix.NUD_PERMANENT != 0,
			})
		}
	}
	return converted, nil
}
