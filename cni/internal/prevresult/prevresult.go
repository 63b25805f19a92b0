// Package prevresult reads what the plugins before the coordinator tell of a pod's interface.
package prevresult

import (
	"net"
	"net/netip"

	current "github.com/containernetworking/cni/pkg/types/100"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// Prefixes lists the addresses that the previous plugins gave to an interface of the pod.
func Prefixes(result *current.Result, ifName string) []netip.Prefix {
	var prefixes []netip.Prefix
	for _, ip := range result.IPs {
		if ip.Interface != nil {
			index := *ip.Interface
			if index < 0 || index >= len(result.Interfaces) || result.Interfaces[index].Name != ifName {
				continue
			}
		}
		if prefix, ok := prefixOf(ip.Address); ok {
			prefixes = append(prefixes, prefix)
		}
	}
	return prefixes
}

func prefixOf(network net.IPNet) (netip.Prefix, bool) {
	addr, ok := netip.AddrFromSlice(network.IP)
	ones, bits := network.Mask.Size()
	addr = addr.Unmap()
	if !ok {
		return netip.Prefix{}, false
	}
	if bits != addr.BitLen() { // no mask, or one of the other family: the address counts
		ones = addr.BitLen()
	}
	return netip.PrefixFrom(addr, ones), true
}

// Addresses are prefixes without the lengths of their subnets.
func Addresses(prefixes []netip.Prefix) []netip.Addr {
	addresses := make([]netip.Addr, 0, len(prefixes))
	for _, prefix := range prefixes {
		addresses = append(addresses, prefix.Addr())
	}
	return addresses
}

// Routes lists the gateways of the default routes in the previous plugins' result, and the other routes that have a
// gateway.
func Routes(result *current.Result) (gateways map[facts.Family]netip.Addr, others []facts.Route) {
	gateways = map[facts.Family]netip.Addr{}
	for _, route := range result.Routes {
		dst, ok := prefixOf(route.Dst)
		if !ok || len(route.Dst.Mask) == 0 {
			continue
		}
		gateway := gatewayOf(result, route.GW, facts.FamilyOf(dst.Addr()))
		switch {
		case !gateway.IsValid():
		case dst.Bits() == 0:
			gateways[facts.FamilyOf(dst.Addr())] = gateway
		default:
			others = append(others, facts.Route{Dst: dst.Masked(), Gw: gateway})
		}
	}
	return gateways, others
}

// gatewayOf is the gateway of a route, else that of the subnet of its family.
func gatewayOf(result *current.Result, own net.IP, family facts.Family) netip.Addr {
	gateway, _ := netip.AddrFromSlice(own)
	for _, ip := range result.IPs {
		ofSubnet, ok := netip.AddrFromSlice(ip.Gateway)
		if ok && !gateway.IsValid() && facts.FamilyOf(ofSubnet.Unmap()) == family {
			gateway = ofSubnet
		}
	}
	return gateway.Unmap()
}
