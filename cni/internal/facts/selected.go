package facts

import (
	"errors"
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
	flags := int(header.Flags)
	if value := attribute(message, unix.SizeofIfAddrmsg, unix.IFA_FLAGS); len(value) >= 4 {
		flags = int(nl.NativeEndian().Uint32(value))
	}
	return netlink.Addr{
		IPNet:     &net.IPNet{IP: local.AsSlice(), Mask: net.CIDRMask(bits, local.BitLen())},
		LinkIndex: int(header.Index), Scope: int(header.Scope), Flags: flags,
	}
}

// selectedRoutes lists the routes of one table to destinations that match. They are decoded only if there is
// one: to a new pod there is none.
func selectedRoutes(namespace *Namespace, family Family, table int, match func(netip.Prefix) bool) ([]netlink.Route, error) {
	query := &nl.RtMsg{RtMsg: unix.RtMsg{Family: uint8(KernelFamily(family))}}
	number := nl.NewRtAttr(unix.RTA_TABLE, nl.Uint32Attr(uint32(table)))
	found, err := namespace.scan(unix.RTM_GETROUTE, unix.RTM_NEWROUTE, []nl.NetlinkRequestData{query, number},
		func(message []byte) bool { return tableOf(message) == table && match(destination(message, family)) })
	if errors.Is(err, unix.ENOENT) || lacksFamily(family, err) || (err == nil && len(found) == 0) {
		return nil, nil // no route has ever been in that table, or none that matches
	}
	if err != nil {
		return nil, err
	}
	routes, err := routesOf(namespace.Netlink, family, table)
	if err != nil {
		return nil, err
	}
	var selected []netlink.Route
	for _, route := range routes {
		if match(toPrefix(route.Dst, route.Family)) {
			selected = append(selected, route)
		}
	}
	return selected, nil
}

func tableOf(message []byte) int {
	if value := attribute(message, unix.SizeofRtMsg, unix.RTA_TABLE); len(value) >= 4 {
		return int(nl.NativeEndian().Uint32(value))
	}
	return int(message[offsetRtTable])
}

func destination(message []byte, family Family) netip.Prefix {
	addr := toAddr(attribute(message, unix.SizeofRtMsg, unix.RTA_DST))
	if !addr.IsValid() {
		return toPrefix(nil, KernelFamily(family))
	}
	return netip.PrefixFrom(addr, int(message[offsetPrefixLen]))
}

// readNeighs lists the neighbours of families whose address matches. The kernel keeps one for each multicast
// group of each link (NUD_NOARP), which nobody asks for.
func readNeighs(namespace *Namespace, families []Family, match func(netip.Addr) bool, name linkNamer) ([]Neigh, error) {
	var converted []Neigh
	for _, family := range families {
		query := &netlink.Ndmsg{Family: uint8(KernelFamily(family))}
		messages, err := namespace.scan(unix.RTM_GETNEIGH, unix.RTM_NEWNEIGH, []nl.NetlinkRequestData{query}, func(message []byte) bool {
			return nl.NativeEndian().Uint16(message[offsetNdState:]) != unix.NUD_NOARP && match(toAddr(attribute(message, unix.SizeofNdMsg, unix.NDA_DST)))
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
