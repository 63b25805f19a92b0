package facts

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func readHost(host *Namespace, observed *Facts, query Query) error {
	state, handle := &observed.Host, host.Netlink
	state.NoIPv6 = host.lacksIPv6()
	links := newLinkCache(handle)
	if err := readHostLinks(host, links, observed, query); err != nil {
		return err
	}
	var err error
	if state.Rules, err = readRules(handle); err != nil {
		return err
	}
	readDefaultRoutes(handle, observed)
	readToFirst(links, observed, query)
	podAddrs := podAddresses(observed, query)
	for _, table := range podTables(state.Rules, query.HostRuleTable) {
		if err := readHostRoutes(host, table, podAddrs, links.name, state); err != nil {
			return err
		}
	}
	if state.Neighs, err = readNeighs(host, familiesOf(podAddrs), podAddrs.has, links.name); err != nil {
		return err
	}
	state.Links = links.all()
	if observed.ClusterMTU, err = clusterMTU(host, links, query.ClusterCIDRs); err != nil {
		return err
	}
	keys := []string{RPFilter("all"), TCPLiberal, Forward4, Forwarding("default"), Forwarding(query.HostVeth)}
	peer, _ := observed.Pod.Link(query.First)
	devs := []string{query.HostVeth, links.name(peer.Peer)}
	for _, route := range observed.ToFirst {
		devs = append(devs, route.Dev)
	}
	for _, dev := range devs {
		if dev == "" {
			continue // the pod's first interface has no peer
		}
		keys = append(keys, RPFilter(dev), SysctlV6(dev, "accept_ra"), SysctlV6(dev, "disable_ipv6"))
	}
	state.Sysctls = host.readSysctls(keys)
	return nil
}

// addrSet is a set.
type addrSet map[netip.Addr]bool

func (a addrSet) has(ip netip.Addr) bool { return a[ip] }

func familiesOf(addrs addrSet) []Family {
	var families []Family
	for _, family := range Families {
		for ip := range addrs {
			if FamilyOf(ip) == family {
				families = append(families, family)
				break
			}
		}
	}
	return families
}

// podAddresses are the addresses whose node side is of interest: those of the interface of this
// call and of the first one.
func podAddresses(observed *Facts, query Query) addrSet {
	addrs := addrSet{}
	for _, dev := range []string{query.First, query.IfName} {
		for _, family := range Families {
			for _, ip := range observed.Pod.Usable(dev, family) {
				addrs[ip] = true
			}
		}
	}
	for _, ip := range query.PrevAddrs {
		addrs[ip] = true
	}
	return addrs
}

// readHostLinks reads only the links that matter: those with addresses of the node, the node's end
// of the veth pair, and the peer of the pod's first interface. A node has hundreds of others.
func readHostLinks(host *Namespace, links *linkCache, observed *Facts, query Query) error {
	addrs, err := usableAddrs(host)
	if err != nil {
		return err
	}
	observed.Host.Addrs = fromAddrs(addrs, links.name)
	if first, ok := observed.Pod.Link(query.First); ok && first.Peer != 0 {
		links.name(first.Peer)
	}
	veth, ok, err := linkByName(links.handle, query.HostVeth)
	if err != nil {
		return err
	}
	if ok {
		links.byIndex[veth.Index] = veth
	}
	return nil
}

// podTables are the node's tables with routes to pods: the configured one, and those that this plugin's
// rules look up for pods of other networks.
func podTables(rules []Rule, configured int) []int {
	tables := []int{configured}
	for _, rule := range rules {
		if rule.Proto == Proto && !slices.Contains(tables, rule.Table) {
			tables = append(tables, rule.Table)
		}
	}
	return tables
}

// documentationAddrs are of the documentation prefixes (RFC 5737, RFC 3849): a route lookup for them
// gives the default route.
var documentationAddrs = map[Family]netip.Addr{
	V4: netip.MustParseAddr("192.0.2.1"),
	V6: netip.MustParseAddr("2001:db8::1"),
}

// readDefaultRoutes looks up the preferred source address of the node's default routes, and their routers.
// A lookup of the pod's address instead would have another result once the route to the pod exists. A
// look-up that fails gives none: there is no such family or route, or it is a blackhole or prohibited.
func readDefaultRoutes(handle *netlink.Handle, observed *Facts) {
	for family, target := range documentationAddrs {
		routes, err := handle.RouteGet(target.AsSlice())
		if err != nil || len(routes) == 0 {
			continue
		}
		if IsUsable(toAddr(routes[0].Src)) {
			observed.Sources[family] = toAddr(routes[0].Src)
		}
		if IsUsable(toAddr(routes[0].Gw)) {
			observed.Routers[family] = toAddr(routes[0].Gw)
		}
	}
}

// readToFirst looks up the node's route to the first interface of a pod on the cluster network. The plugin
// adds none to that address, so that the answer is the same before and after an ADD.
func readToFirst(links *linkCache, observed *Facts, query Query) {
	observed.ToFirst = map[Family]Route{}
	if _, underlay := observed.Pod.Link(PodVeth); underlay || query.First == query.IfName {
		return
	}
	for _, family := range Families {
		addrs := observed.Pod.Usable(query.First, family)
		if len(addrs) == 0 {
			continue
		}
		routes, err := links.handle.RouteGet(addrs[0].AsSlice())
		if err != nil || len(routes) == 0 || routes[0].Type != unix.RTN_UNICAST {
			continue // the node has no way to it, or none of that family
		}
		observed.ToFirst[family] = Route{
			Dst: netip.PrefixFrom(addrs[0], addrs[0].BitLen()), Gw: toAddr(routes[0].Gw), Dev: links.name(routes[0].LinkIndex),
		}
	}
}

// clusterMTU is the smallest MTU of the node's routes to the cluster's CIDRs: an overlay network sets
// it on these routes or on their interfaces.
func clusterMTU(host *Namespace, links *linkCache, networks []netip.Prefix) (int, error) {
	smallest := 0
	toCluster := func(dst netip.Prefix) bool {
		inside := func(network netip.Prefix) bool { return network.Bits() <= dst.Bits() && network.Contains(dst.Addr()) }
		return !dst.IsSingleIP() && slices.ContainsFunc(networks, inside) // a route to one pod of this node uses no tunnel
	}
	for _, family := range Families {
		if !slices.ContainsFunc(networks, func(network netip.Prefix) bool { return FamilyOf(network.Addr()) == family }) {
			continue
		}
		routes, err := host.scanRoutes(family, TableMain, func(message []byte) bool { return toCluster(destination(message, family)) })
		if err != nil {
			return 0, err
		}
		for _, route := range routes {
			mtus := []int{route.route.MTU}
			for _, hop := range route.hops {
				mtus = append(mtus, links.mtu(hop.link))
			}
			for _, mtu := range mtus {
				if mtu > 0 && (smallest == 0 || mtu < smallest) {
					smallest = mtu
				}
			}
		}
	}
	return smallest, nil
}

func readHostRoutes(host *Namespace, table int, podAddrs addrSet, name linkNamer, state *NetnsState) error {
	for _, family := range familiesOf(podAddrs) {
		routes, err := host.scanRoutes(family, table, func(message []byte) bool {
			dst := destination(message, family)
			return dst.IsSingleIP() && podAddrs.has(dst.Addr())
		})
		if err != nil {
			return fmt.Errorf("table %d: %w", table, err)
		}
		for _, route := range routes {
			state.addRoute(route, name)
		}
	}
	return nil
}

// excludedPrefixes names interfaces of the node whose addresses are not the node's own: those of other
// container networks, and virtual service addresses.
var excludedPrefixes = []string{
	"docker", "podman", "nerdctl", "lxcbr", "lxdbr", "incusbr", "virbr", "cbr", "veth", "cni", "cali", "cilium", "flannel", "weave",
	"kube-bridge", "vx-submariner", "dummy", "kube-ipvs", "kube-dummy-if", "nodelocaldns",
}

// isDockerNetwork says whether a bridge has the name of a Docker network that people made: br- and twelve
// hexadecimal digits. The plugin starts for each call, so that no regular expression is compiled.
func isDockerNetwork(name string) bool {
	id, found := strings.CutPrefix(name, "br-")
	return found && len(id) == 12 && strings.Trim(id, "0123456789abcdef") == ""
}

// NodeInterface says whether the addresses of that interface count as addresses of the node.
func NodeInterface(name string) bool {
	if name == "lo" || isDockerNetwork(name) {
		return false
	}
	for _, prefix := range excludedPrefixes {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	return true
}
