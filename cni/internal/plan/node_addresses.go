package plan

import (
	"net/netip"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// nodeAddresses are the node's own addresses in a family, the one that serves as gateway first: the
// one in the subnet of the pod, else the one of the node's default route, in any case one that stays if
// there is such a one.
func nodeAddresses(f *facts.Facts, family facts.Family, pod netip.Addr) []netip.Addr {
	if !f.Host.Has(family) {
		return nil
	}
	own := nodeOwn(f, family)
	first := defaultSource(f, own, family)
	if best, ok := closest(own, f.Sources[family], pod); ok && (!best.Passing || !first.IsValid()) {
		first = best.Prefix.Addr()
	}
	var ordered []netip.Addr
	if first.IsValid() {
		ordered = append(ordered, first)
	}
	for _, addr := range own {
		if ip := addr.Prefix.Addr(); ip != first {
			ordered = append(ordered, ip)
		}
	}
	return ordered
}

// nodeOwn are the entries of the node's own addresses in a family, in the order in which their links got them;
// those that do not stay, or are not there yet, come last.
func nodeOwn(f *facts.Facts, family facts.Family) []facts.Addr {
	var staying, others []facts.Addr
	for _, addr := range f.Host.Addrs {
		ip := addr.Prefix.Addr()
		switch {
		case facts.FamilyOf(ip) != family || !facts.IsUsable(ip) || addr.DADFailed || !facts.NodeInterface(addr.Dev):
		case addr.Passing || addr.Tentative:
			others = append(others, addr)
		default:
			staying = append(staying, addr)
		}
	}
	return append(staying, others...)
}

// closest is the address whose subnet has the pod, the smallest such subnet; ok is false where none has. Of
// several in one subnet it is in IPv4 the one of the node's default route, which is the first of its link.
// In IPv6 the kernel prefers the newest as that, which may be a virtual address that moves: it is the oldest.
func closest(own []facts.Addr, source, pod netip.Addr) (best facts.Addr, ok bool) {
	for _, addr := range own {
		if !addr.Prefix.Masked().Contains(pod) {
			continue
		}
		worse := ok && (addr.Passing || addr.Tentative) && !best.Passing && !best.Tentative
		closer := !ok || addr.Prefix.Bits() > best.Prefix.Bits() ||
			(addr.Prefix.Bits() == best.Prefix.Bits() && addr.Prefix.Addr() == source && source.Is4())
		if closer && !worse {
			best, ok = addr, true
		}
	}
	return best, ok
}

// defaultSource is the address that the node uses by its default route. In IPv6 the oldest one of that
// subnet stands for it: the kernel prefers new ones, and temporary ones where they are switched on.
func defaultSource(f *facts.Facts, own []facts.Addr, family facts.Family) netip.Addr {
	source := f.Sources[family]
	if family == facts.V4 {
		return source
	}
	entry, _ := f.Host.Addr(source)
	for _, addr := range own {
		if source.IsValid() && addr.Dev == entry.Dev && !addr.Prefix.IsSingleIP() && addr.Prefix.Masked().Contains(source) {
			return addr.Prefix.Addr()
		}
	}
	return source
}
