package facts

import (
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// toAddr converts an address of the netlink library; the zero Addr stands for none.
func toAddr(ip net.IP) netip.Addr {
	addr, _ := netip.AddrFromSlice(ip)
	return addr.Unmap()
}

// toPrefix converts a network of the netlink library; nil is the default route of the family.
func toPrefix(network *net.IPNet, family int) netip.Prefix {
	if network == nil || len(network.IP) == 0 {
		if family == unix.AF_INET6 {
			return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
		}
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	ones, bits := network.Mask.Size()
	addr := toAddr(network.IP)
	if addr.Is4() && bits == 128 {
		ones -= 96
	}
	return netip.PrefixFrom(addr, ones)
}

// ToIPNet converts a prefix for the netlink library.
func ToIPNet(prefix netip.Prefix) *net.IPNet {
	addr := prefix.Addr()
	return &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(prefix.Bits(), addr.BitLen())}
}

// KernelFamily returns the AF_ number of a family.
func KernelFamily(family Family) int {
	if family == V6 {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

func fromLink(link netlink.Link) Link {
	attrs := link.Attrs()
	return Link{
		Index: attrs.Index, Peer: attrs.ParentIndex, Master: attrs.MasterIndex, Name: attrs.Name, Kind: link.Type(), Alias: attrs.Alias,
		MAC: attrs.HardwareAddr.String(), MTU: attrs.MTU, TxQLen: attrs.TxQLen, Up: attrs.Flags&net.FlagUp != 0,
		Carrier: attrs.RawFlags&unix.IFF_LOWER_UP != 0,
		// The kernel has no number, but -1, for a namespace that is being deleted.
		PeerElsewhere: int32(attrs.NetNsID) >= 0, // the library reads it as unsigned
		PeerNetns:     int(int32(attrs.NetNsID)),
	}
}

// linkNamer returns the name of a link by its index; empty for a deleted one.
type linkNamer func(index int) string

func fromAddr(addr netlink.Addr, name linkNamer) Addr {
	converted := Addr{
		Dev: name(addr.LinkIndex), Prefix: toPrefix(addr.IPNet, unix.AF_UNSPEC), Scope: addr.Scope,
		Tentative: addr.Flags&unix.IFA_F_TENTATIVE != 0 && addr.Flags&unix.IFA_F_OPTIMISTIC == 0,
		DADFailed: addr.Flags&unix.IFA_F_DADFAILED != 0, Dynamic: addr.Flags&unix.IFA_F_PERMANENT == 0,
		Passing: addr.Flags&unix.IFA_F_DEPRECATED != 0,
	}
	if converted.Prefix.Addr().Is6() { // the same bit is that of secondary addresses in IPv4
		converted.Passing = converted.Passing || addr.Flags&unix.IFA_F_TEMPORARY != 0
	}
	return converted
}

// fromAddrs converts addresses in the order in which each link got them. That is the kernel's order in IPv4;
// in IPv6 it puts a new address before the others.
func fromAddrs(addrs []netlink.Addr, name linkNamer) []Addr {
	converted := make([]Addr, 0, len(addrs))
	for _, addr := range addrs {
		converted = append(converted, fromAddr(addr, name))
	}
	for start := 0; start < len(addrs); {
		end := start + 1
		for end < len(addrs) && addrs[end].LinkIndex == addrs[start].LinkIndex && converted[end].Prefix.Addr().Is6() == converted[start].Prefix.Addr().Is6() {
			end++
		}
		if converted[start].Prefix.Addr().Is6() {
			slices.Reverse(converted[start:end])
		}
		start = end
	}
	return converted
}

func fromRule(rule netlink.Rule) Rule {
	converted := Rule{Family: V4, Priority: rule.Priority, Mark: rule.Mark, Table: rule.Table, Proto: int(rule.Protocol)}
	if rule.Family == unix.AF_INET6 {
		converted.Family = V6
	}
	if rule.Src != nil {
		converted.Src = toPrefix(rule.Src, rule.Family)
	}
	if rule.Mask != nil {
		converted.Mask = *rule.Mask
	}
	converted.Foreign = rule.Dst != nil || rule.IifName != "" || rule.OifName != "" || rule.Invert || rule.Tos != 0 ||
		rule.IPProto != 0 || rule.Sport != nil || rule.Dport != nil || rule.UIDRange != nil || rule.Goto > 0 ||
		rule.SuppressPrefixlen >= 0
	return converted
}
