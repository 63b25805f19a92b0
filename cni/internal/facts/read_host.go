package facts

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func readHost(host *Namespace, found *Facts, query Query) error {
	space, handle := &found.Host, host.Netlink
	links := newResolver(handle)
	if err := readHostLinks(links, found, query); err != nil {
		return err
	}
	var err error
	if space.Rules, err = readRules(handle); err != nil {
		return err
	}
	if err := readSources(handle, found); err != nil {
		return err
	}
	own := podAddresses(found, query)
	if space.Routes, err = readHostRoutes(handle, query.HostRuleTable, own, links.name); err != nil {
		return err
	}
	if space.Neighs, err = readNeighs(handle, familiesOf(own), own.has, links.name); err != nil {
		return err
	}
	if found.ClusterMTU, err = clusterMTU(links, query.Cluster); err != nil {
		return err
	}
	keys := []string{RPFilter("all"), RPFilter(query.HostVeth), SysctlV6(query.HostVeth, "accept_ra"), TCPLiberal}
	space.Sysctls = readSysctls(keys)
	return nil
}

// addresses is a set.
type addresses map[netip.Addr]bool

func (a addresses) has(ip netip.Addr) bool { return a[ip] }

func familiesOf(own addresses) []Family {
	var found []Family
	for _, family := range Families {
		for ip := range own {
			if FamilyOf(ip) == family {
				found = append(found, family)
				break
			}
		}
	}
	return found
}

// podAddresses are the addresses whose node side is of interest: those of the interface of this
// call and of the first one.
func podAddresses(found *Facts, query Query) addresses {
	own := addresses{}
	for _, dev := range []string{query.First, query.IfName} {
		for _, family := range Families {
			for _, ip := range found.Pod.Usable(dev, family) {
				own[ip] = true
			}
		}
	}
	for _, ip := range query.Extra {
		own[ip] = true
	}
	return own
}

// readHostLinks reads only the links that matter: those with addresses of the node, the node's end
// of the veth pair, and the peer of the pod's first interface. A node has hundreds of others.
func readHostLinks(links *resolver, found *Facts, query Query) error {
	addrs, err := dump(func() ([]netlink.Addr, error) { return links.handle.AddrList(nil, netlink.FAMILY_ALL) })
	if err != nil {
		return fmt.Errorf("list addresses: %w", err)
	}
	for _, addr := range addrs {
		if prefix := toPrefix(addr.IPNet, unix.AF_UNSPEC); IsUsable(prefix.Addr()) {
			found.Host.Addrs = append(found.Host.Addrs, Addr{
				Dev: links.name(addr.LinkIndex), Prefix: prefix, Scope: addr.Scope, Failed: addr.Flags&unix.IFA_F_DADFAILED != 0,
			})
		}
	}
	if first, ok := found.Pod.Link(query.First); ok && first.Peer != 0 {
		links.name(first.Peer)
	}
	veth, ok, err := linkByName(links.handle, query.HostVeth)
	if err != nil {
		return err
	}
	if ok {
		links.known[veth.Index] = veth
	}
	for _, link := range links.known {
		found.Host.Links = append(found.Host.Links, link)
	}
	slices.SortFunc(found.Host.Links, func(a, b Link) int { return a.Index - b.Index })
	return nil
}

// probes are addresses set aside for documentation: the route to them is the default route.
var probes = map[Family]netip.Addr{
	V4: netip.MustParseAddr("192.0.2.1"),
	V6: netip.MustParseAddr("2001:db8::1"),
}

// readSources asks the node's routing which of its addresses it uses by default. Asking for the
// pod's address instead would give another answer once the route to the pod is in place.
func readSources(handle *netlink.Handle, found *Facts) error {
	for family, probe := range probes {
		routes, err := handle.RouteGet(probe.AsSlice())
		if errors.Is(err, unix.ENETUNREACH) || errors.Is(err, unix.EHOSTUNREACH) || errors.Is(err, unix.EAFNOSUPPORT) {
			continue
		}
		if err != nil {
			return fmt.Errorf("look up the %s default route: %w", family, err)
		}
		if len(routes) > 0 && IsUsable(toAddr(routes[0].Src)) {
			found.Sources[family] = toAddr(routes[0].Src)
		}
	}
	return nil
}

// clusterMTU looks at the node's routes into networks of the cluster: an overlay network leaves its
// MTU on them or on their interfaces.
func clusterMTU(links *resolver, networks []netip.Prefix) (int, error) {
	smallest := 0
	if len(networks) == 0 {
		return 0, nil
	}
	for _, family := range Families {
		routes, err := routesOf(links.handle, family, TableMain)
		if err != nil {
			return 0, fmt.Errorf("list %s routes: %w", family, err)
		}
		for _, route := range routes {
			dst := toPrefix(route.Dst, route.Family)
			inside := func(network netip.Prefix) bool { return network.Bits() <= dst.Bits() && network.Contains(dst.Addr()) }
			if dst.IsSingleIP() || !slices.ContainsFunc(networks, inside) {
				continue // a route to a single pod of this node leads through no tunnel
			}
			for _, mtu := range []int{route.MTU, links.mtu(route.LinkIndex)} {
				if mtu > 0 && (smallest == 0 || mtu < smallest) {
					smallest = mtu
				}
			}
		}
	}
	return smallest, nil
}

func readHostRoutes(handle *netlink.Handle, table int, own addresses, name nameOf) ([]Route, error) {
	var found []Route
	for _, family := range familiesOf(own) {
		routes, err := routesOf(handle, family, table)
		if err != nil {
			return nil, fmt.Errorf("list the %s routes of table %d: %w", family, table, err)
		}
		for _, route := range routes {
			if dst := toPrefix(route.Dst, route.Family); dst.IsSingleIP() && own.has(dst.Addr()) {
				found = append(found, fromRoute(route, name)...)
			}
		}
	}
	return found, nil
}

// excluded names interfaces of the node whose addresses are not the node's own: those of other
// container networks, and virtual service addresses.
var excluded = []string{
	"docker", "cbr", "dummy", "virbr", "lxcbr", "veth", "cali", "flannel", "kube-ipvs", "cni", "vx-submariner", "cilium",
}

// NodeInterface says whether the addresses of that interface count as addresses of the node.
func NodeInterface(name string) bool {
	if name == "lo" {
		return false
	}
	for _, prefix := range excluded {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	return true
}
