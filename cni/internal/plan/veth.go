package plan

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// sysctl addr_gen_mode 1 (none): the kernel generates no link-local address.
const addrGenModeNone = "1"

// planVeth plans the veth pair and its link settings.
func (a *adder) planVeth(families []facts.Family) error {
	if err := a.ensureVethPair(); err != nil {
		return err
	}
	if entry, own := a.facts.Host.Addr(a.req.Config.VethLinkAddress); own {
		return &ConflictError{fmt.Sprintf("vethLinkAddress %s is the node's own, of its interface %s: the pod would take itself for the node; "+
			"name an address that nobody has, such as 169.254.100.1", entry.Prefix.Addr(), entry.Dev)}
	}
	takesIPv6 := a.pairMTU() >= minMTU
	if !takesIPv6 && slices.Contains(families, facts.V6) {
		return fmt.Errorf("the MTU of the pair to the node is %d, and IPv6 needs %d (RFC 8200): raise vethMTU, or give interface %s no IPv6 address",
			a.pairMTU(), minMTU, a.req.IfName)
	}
	if takesIPv6 && a.facts.Host.Has(facts.V6) {
		a.ensureSysctl(facts.Host, facts.SysctlV6(a.veth.HostDev, "accept_ra"), "0")
	}
	if filter := a.req.Config.HostRPFilter; filter != nil && *filter >= 0 {
		a.ensureRPFilter(facts.Host, "hostRPFilter", *filter, []string{a.veth.HostDev})
	}
	a.ensureForwarding()
	for _, family := range families {
		if family == facts.V6 {
			if a.facts.Host.Has(facts.V6) {
				// New links have the value of "default", with which the kernel takes no IPv6 route.
				a.ensureSysctl(facts.Host, facts.SysctlV6(a.veth.HostDev, "disable_ipv6"), "0")
			}
			// Before the link is set up: otherwise the kernel's own link-local address is tentative for
			// the second or two that duplicate address detection takes.
			a.ensureSysctl(facts.Pod, facts.SysctlV6(facts.PodVeth, "disable_ipv6"), "0")
			a.ensureSysctl(facts.Pod, facts.SysctlV6(facts.PodVeth, "addr_gen_mode"), addrGenModeNone)
		}
	}
	a.ensureUp(facts.Host, a.veth.HostDev)
	a.ensureUp(facts.Pod, a.veth.PodDev)
	for _, family := range families {
		a.planLinkAddress(family)
	}
	if link := a.req.Config.VethLinkAddress; link.IsValid() && a.req.first() && !slices.Contains(families, facts.FamilyOf(link)) {
		a.warn(fmt.Sprintf("vethLinkAddress %s is not set: interface %s has no %s address", link, a.req.IfName, facts.FamilyOf(link)))
	}
	return nil
}

// ensureForwarding lets the node forward what comes from the pod, if it forwards at all: services translate to
// pods of other nodes. New links have the value of "default", which may be 0 beside it. It is not written
// without need, since for this setting the kernel takes a lock that links and addresses need, too.
func (a *adder) ensureForwarding() {
	sysctls, key := a.facts.Host.Sysctls, facts.Forwarding(a.veth.HostDev)
	value, known := sysctls[key]
	if !known {
		value = sysctls[facts.Forwarding("default")]
	}
	if sysctls[facts.Forward4] == "1" && value == "0" {
		a.ensureSysctl(facts.Host, key, "1")
	}
}

// ensureVethPair adds the veth pair, or uses the existing one.
func (a *adder) ensureVethPair() error {
	name := HostVeth(a.req.ContainerID)
	pod, podFound := a.facts.Pod.Link(facts.PodVeth)
	host, hostFound := a.facts.Host.Link(name)
	a.veth = VethPair{
		PodDev: facts.PodVeth, HostDev: name, AddedByCoordinator: true,
		PodMAC: vethMAC(a.req.ContainerID, "pod"), HostMAC: HostMAC(a.req.ContainerID),
	}
	if hostFound {
		if err := a.checkOwner(host); err != nil {
			return err
		}
	}
	if podFound && hostFound && pod.Peer == host.Index && host.Peer == pod.Index {
		a.reuseVethPair(pod, host)
		return nil
	}
	if podFound {
		return fmt.Errorf("the pod has an interface %s that is not the other end of %s on the node: another plugin or an older version added it; "+
			"delete the pod, and check that no other coordinator plugin is in its networks", facts.PodVeth, name)
	}
	if !a.req.first() {
		return fmt.Errorf("when creating interface %s in underlay mode, it detects that the auxiliary interface %s was not created by previous interface: "+
			"enable the coordinator in the network of the first interface %s", a.req.IfName, facts.PodVeth, a.req.Config.First)
	}
	if hostFound {
		a.add(DropLink{facts.Host, name}, nil) // stale: its peer's netns is gone
	}
	a.add(AddVeth{facts.PodVeth, name, a.veth.PodMAC, a.veth.HostMAC, a.vethMTU()}, DropLink{facts.Host, name})
	a.add(SetAlias{facts.Host, name, a.req.owner().Alias()}, nil)
	return nil
}

// checkOwner refuses a link of the node that has the host veth's name and another owner.
func (a *adder) checkOwner(host facts.Link) error {
	leftOver := host.Kind == "veth" && host.Alias == "" && !host.PeerElsewhere
	if leftOver || isHostVethOf(host, a.req.ContainerID) {
		return nil
	}
	return fmt.Errorf("the node has a link %s already, of kind %s with alias %q: it does not belong to container %s; "+
		"check with: ip -d link show %s", host.Name, host.Kind, host.Alias, a.req.ContainerID, host.Name)
}

func (a *adder) reuseVethPair(pod, host facts.Link) {
	a.veth.PodMAC, a.veth.HostMAC = pod.MAC, host.MAC
	if host.Alias == "" {
		a.add(SetAlias{facts.Host, host.Name, Owner{a.req.ContainerID, a.req.Config.First, a.req.Config.Network}.Alias()}, nil)
	}
	if !a.req.first() {
		return // the first interface sets the MTU
	}
	mtu := a.vethMTU()
	if pod.MTU != mtu {
		a.add(SetMTU{facts.Pod, pod.Name, mtu}, SetMTU{facts.Pod, pod.Name, pod.MTU})
	}
	if host.MTU != mtu {
		a.add(SetMTU{facts.Host, host.Name, mtu}, SetMTU{facts.Host, host.Name, host.MTU})
	}
}

// pairMTU is the MTU that the pair has or gets: the first interface sets it.
func (a *adder) pairMTU() int {
	if pod, found := a.facts.Pod.Link(facts.PodVeth); found && !a.req.first() {
		return pod.MTU
	}
	return a.vethMTU()
}

// The MTU of Ethernet, and the minimum link MTU of IPv6 (RFC 8200).
const (
	defaultMTU = 1500
	minMTU     = 1280
)

// vethMTU is the configured MTU, else the path MTU: the smallest of the pod's interface, of the
// interface with the node's address, and of the node's routes to the cluster's CIDRs, which may use
// tunnels.
func (a *adder) vethMTU() int {
	if a.req.Config.VethMTU > 0 {
		return a.req.Config.VethMTU
	}
	smallest := 0
	consider := func(mtu int) {
		if mtu >= minMTU && (smallest == 0 || mtu < smallest) {
			smallest = mtu
		}
	}
	if link, ok := a.facts.Pod.Link(a.req.IfName); ok {
		consider(link.MTU)
	}
	for _, addr := range a.facts.Host.Addrs {
		if link, ok := a.facts.Host.Link(addr.Dev); ok && addr.Prefix.Addr() == a.gateway(facts.FamilyOf(addr.Prefix.Addr())) {
			consider(link.MTU)
		}
	}
	consider(a.facts.ClusterMTU)
	if smallest == 0 {
		return defaultMTU
	}
	return smallest
}

// gateway is the node's address that is the gateway of the interface of this call, or nothing.
func (a *adder) gateway(family facts.Family) netip.Addr {
	addresses := a.req.addresses(a.facts, a.req.IfName, family)
	if len(addresses) == 0 {
		return netip.Addr{}
	}
	if nodeAddrs := nodeAddresses(a.facts, family, addresses[0]); len(nodeAddrs) > 0 {
		return nodeAddrs[0]
	}
	return netip.Addr{}
}

// planLinkAddress plans the addresses of veth0: the configured one, which lets iptables REDIRECT work,
// and for IPv6 a link-local one that is usable at once. Nobody knows a way back to the configured one, so that
// the kernel must not choose it, as masquerading does for the link that a packet leaves by: it has the scope of
// the link, which IPv6 takes from the address, so that there it is not preferred.
func (a *adder) planLinkAddress(family facts.Family) {
	if link := a.req.Config.VethLinkAddress; link.IsValid() && facts.FamilyOf(link) == family {
		prefix := netip.PrefixFrom(link, link.BitLen())
		a.ensureAddr(facts.Pod, facts.Addr{Dev: facts.PodVeth, Prefix: prefix, Scope: facts.ScopeLink, Unpreferred: !link.IsLinkLocalUnicast()})
	}
	if family == facts.V6 {
		local := netip.PrefixFrom(linkLocal(a.veth.PodMAC), 64)
		a.ensureAddr(facts.Pod, facts.Addr{Dev: facts.PodVeth, Prefix: local, Scope: facts.ScopeLink})
	}
}

// linkLocal is the address that RFC 4291 derives from a hardware address.
func linkLocal(mac string) netip.Addr {
	hw, _ := net.ParseMAC(mac)
	return netip.AddrFrom16([16]byte{
		0xfe, 0x80, 8: hw[0] ^ 2, 9: hw[1], 10: hw[2], 11: 0xff, 12: 0xfe, 13: hw[3], 14: hw[4], 15: hw[5],
	})
}
