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
	names, err := readHostLinks(handle, found, query)
	if err != nil {
		return err
	}
	if space.Rules, err = readRules(handle); err != nil {
		return err
	}
	own := podAddresses(found, query)
	if err := readSources(handle, found); err != nil {
		return err
	}
	if space.Routes, err = readHostRoutes(handle, query.HostRuleTable, own, names); err != nil {
		return err
	}
	neighs, err := readNeighs(handle, names)
	if err != nil {
		return err
	}
	for _, neigh := range neighs {
		if own[neigh.IP] {
			space.Neighs = append(space.Neighs, neigh)
		}
	}
	if found.ClusterMTU, err = clusterMTU(handle, query.Cluster); err != nil {
		return err
	}
	keys := []string{RPFilter("all"), RPFilter(query.HostVeth), SysctlV6(query.HostVeth, "accept_ra"), TCPLiberal}
	space.Sysctls = readSysctls(keys)
	return nil
}

// podAddresses are the addresses whose node side is of interest: those of the interface of this
// call and of the first one.
func podAddresses(found *Facts, query Query) map[netip.Addr]bool {
	own := map[netip.Addr]bool{}
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

// readHostLinks reads only the links that matter: a node has hundreds of others, one or more for
// each pod. The names of all links are known from their addresses and from this call's needs.
func readHostLinks(handle *netlink.Handle, found *Facts, query Query) (map[int]string, error) {
	space, names := &found.Host, map[int]string{}
	links, err := dump(handle.LinkList)
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	for _, link := range links {
		names[link.Attrs().Index] = link.Attrs().Name
	}
	if space.Addrs, err = readAddrs(handle, names); err != nil {
		return nil, err
	}
	wanted := map[string]bool{query.HostVeth: true}
	for _, addr := range space.Addrs {
		if IsUsable(addr.Prefix.Addr()) {
			wanted[addr.Dev] = true
		}
	}
	peer := -1
	if first, ok := found.Pod.Link(query.First); ok {
		peer = first.Peer
	}
	for _, link := range links {
		if wanted[link.Attrs().Name] || link.Attrs().Index == peer {
			space.Links = append(space.Links, fromLink(link))
		}
	}
	return names, nil
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
func clusterMTU(handle *netlink.Handle, networks []netip.Prefix) (int, error) {
	smallest := 0
	if len(networks) == 0 {
		return 0, nil
	}
	consider := func(mtu int) {
		if mtu > 0 && (smallest == 0 || mtu < smallest) {
			smallest = mtu
		}
	}
	for _, family := range Families {
		routes, err := routesOf(handle, family, TableMain)
		if err != nil {
			return 0, fmt.Errorf("list %s routes: %w", family, err)
		}
		links := map[int]bool{}
		for _, route := range routes {
			dst := toPrefix(route.Dst, route.Family)
			inside := func(network netip.Prefix) bool { return network.Bits() <= dst.Bits() && network.Contains(dst.Addr()) }
			if !slices.ContainsFunc(networks, inside) {
				continue
			}
			consider(route.MTU)
			if route.LinkIndex == 0 || links[route.LinkIndex] {
				continue
			}
			links[route.LinkIndex] = true
			if link, err := handle.LinkByIndex(route.LinkIndex); err == nil { // it may be gone by now
				consider(link.Attrs().MTU)
			}
		}
	}
	return smallest, nil
}

func readHostRoutes(handle *netlink.Handle, table int, own map[netip.Addr]bool, names map[int]string) ([]Route, error) {
	var found []Route
	for _, family := range Families {
		routes, err := routesOf(handle, family, table)
		if err != nil {
			return nil, fmt.Errorf("list the %s routes of table %d: %w", family, table, err)
		}
		for _, route := range routes {
			for _, one := range fromRoute(route, names) {
				if one.Dst.IsSingleIP() && own[one.Dst.Addr()] {
					found = append(found, one)
				}
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
