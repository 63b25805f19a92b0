// Package nodelinks reads the links of the node, and makes VLAN interfaces and bonds as internal/ifacer
// says.
package nodelinks

import (
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/ifacer"
)

// Read reads all links of the node, and their addresses.
func Read(host *facts.Namespace) (ifacer.Links, error) {
	observed, err := host.Links()
	if err != nil {
		return nil, err
	}
	addresses, err := readAddresses(host)
	if err != nil {
		return nil, err
	}
	names := map[int]string{}
	for _, link := range observed {
		names[link.Attrs().Index] = link.Attrs().Name
	}
	links := make(ifacer.Links, 0, len(observed))
	for _, link := range observed {
		converted := convert(link, func(index int) string { return names[index] })
		converted.Addresses = addresses[converted.Index]
		links = append(links, converted)
	}
	return links, nil
}

func convert(link netlink.Link, name func(index int) string) ifacer.Link {
	attrs := link.Attrs()
	converted := ifacer.Link{
		Name: attrs.Name, AltNames: attrs.AltNames, Index: attrs.Index, Kind: link.Type(), Up: attrs.RawFlags&unix.IFF_UP != 0,
		MTU: attrs.MTU, Alias: attrs.Alias, Master: attrs.MasterIndex, Parent: attrs.ParentIndex,
		ParentElsewhere: int32(attrs.NetNsID) >= 0, // the library reads it as unsigned
	}
	switch typed := link.(type) {
	case *netlink.Vlan:
		converted.VLAN, converted.VLANProtocol = typed.VlanId, typed.VlanProtocol.String()
	case *netlink.Bond:
		converted.BondMode, converted.BondOptions = int(typed.Mode), readOptions(typed, name)
	}
	return converted
}

// readAddresses returns the addresses by link, without the link-local ones, which the kernel gives by itself.
func readAddresses(host *facts.Namespace) (map[int][]netip.Prefix, error) {
	found, err := host.Addresses(nil, netlink.FAMILY_ALL)
	if err != nil {
		return nil, err
	}
	addresses := map[int][]netip.Prefix{}
	for _, entry := range found {
		addr, ok := netip.AddrFromSlice(entry.IP)
		if !ok || addr.IsLinkLocalUnicast() {
			continue
		}
		ones, _ := entry.Mask.Size()
		addresses[entry.LinkIndex] = append(addresses[entry.LinkIndex], netip.PrefixFrom(addr.Unmap(), ones))
	}
	return addresses, nil
}
