package plan

import (
	"net/netip"
	"slices"

	"github.com/containernetworking/cni/pkg/types"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// Removal is a DEL of an interface of a container.
type Removal struct {
	ContainerID, IfName, First string
	Addresses                  []netip.Addr // of the interface, as the previous plugin reported them
	MAC                        string       // of the interface in prevResult; empty: unknown
}

// DelHostLink plans the deletion of the host veth, with which the kernel deletes its routes and
// neighbours. A DEL of another interface than the one it was added for does not delete it.
func DelHostLink(host facts.Link, containerID, ifName string) []Op {
	owner, ok := ParseAlias(host.Alias)
	if !isHostVethOf(host, containerID) || (ok && owner.IfName != ifName) {
		return nil
	}
	return []Op{{Do: DropLink{facts.Host, host.Name}}}
}

// markedLegs are the links of the node that are marked as the container's: its host veth by its alias, and
// in overlay mode those that routes with its metric go to.
func (r Removal) markedLegs(host *facts.NetnsState) map[string]bool {
	legs := map[string]bool{}
	if link, ok := host.Link(HostVeth(r.ContainerID)); ok && isHostVethOf(link, r.ContainerID) {
		legs[link.Name] = true
	}
	for _, route := range host.Routes {
		if link, ok := host.Link(route.Dev); ok && isPairKind(link.Kind) && r.owns(route) {
			legs[link.Name] = true // a bridge or switch leads to other pods too
		}
	}
	return legs
}

// legs are the links of the node that lead to the container, whose namespace pod is or nobody's.
func (r Removal) legs(pod, host *facts.NetnsState) map[string]bool {
	legs := r.markedLegs(host)
	if first, ok := pod.Link(r.First); ok {
		if peer, ok := host.LinkByIndex(first.Peer); ok && first.Peer != 0 && peer.Peer == first.Index {
			legs[peer.Name] = true
		}
	}
	return legs
}

func (r Removal) owns(route facts.Route) bool {
	return route.IsToPod() && route.Metric == RouteMetric(r.ContainerID, r.IfName)
}

// DelHostEntries plans the deletion of the node's entries of an interface: routes with our protocol that
// are marked as its, or lead to its addresses by a link of the container, and the neighbours there, which come
// first: the routes say whose they are. The pod's state is empty where its netns is gone or another container's.
func (r Removal) DelHostEntries(observed *facts.Facts) []Op {
	pod, host := &observed.Pod, &observed.Host
	addresses := map[netip.Addr]bool{}
	for _, ip := range r.allAddresses(pod) {
		addresses[ip] = true
	}
	var ops, routes []Op
	legs := r.legs(pod, host)
	for _, route := range host.Routes {
		byLink := route.IsToPod() && addresses[route.Dst.Addr()] && legs[route.Dev]
		if byLink || r.owns(route) {
			addresses[route.Dst.Addr()] = true
			routes = append(routes, Op{Do: DropRoute{facts.Host, route}})
		}
	}
	for _, neigh := range host.Neighs {
		if addresses[neigh.IP] && legs[neigh.Dev] && neigh.Permanent {
			ops = append(ops, Op{Do: DropNeigh{facts.Host, neigh}})
		}
	}
	return append(ops, routes...)
}

// allAddresses are the interface's addresses by prevResult and in the pod.
func (r Removal) allAddresses(pod *facts.NetnsState) []netip.Addr {
	return append(append([]netip.Addr{}, r.Addresses...), UsableAddresses(pod, r.IfName)...)
}

// UsableAddresses are the addresses of an interface of a pod in both families.
func UsableAddresses(pod *facts.NetnsState, dev string) []netip.Addr {
	var addresses []netip.Addr
	for _, family := range facts.Families {
		addresses = append(addresses, pod.Usable(dev, family)...)
	}
	return addresses
}

// DelPod plans the DEL of an interface in a pod whose netns still exists: its rules and tables are
// deleted, and when it had the default route, another interface's returns to the main table. Rules come last:
// after a DEL that was killed they say which tables are the interface's.
func (r Removal) DelPod(pod *facts.NetnsState) []Op {
	addresses, hasDefault := map[netip.Addr]bool{}, map[facts.Family]bool{}
	for _, ip := range r.allAddresses(pod) {
		addresses[ip] = true
	}
	rules, tables, ofOthers := ownTables(pod, addresses)
	var ops []Op
	for _, route := range pod.Routes {
		if tables[route.Table] {
			ops = append(ops, Op{Do: DropRoute{facts.Pod, route}})
		}
		if route.Table == facts.TableMain && route.IsDefault() && route.Dev != r.IfName {
			hasDefault[route.Family()] = true
		}
	}
	for _, route := range pod.Special {
		if route.Table == facts.TableMain && route.IsDefault() && route.Type == 0 && route.Dev != r.IfName {
			hasDefault[route.Family()] = true
		}
	}
	ops = append(ops, r.replaceSource(pod, addresses, tables)...)
	ops = append(ops, promoteDefaults(pod, r.IfName, ofOthers, hasDefault)...)
	for _, rule := range rules {
		ops = append(ops, Op{Do: DropRule{facts.Pod, rule}})
	}
	return ops
}

// ownTables finds the rules by addresses of an interface, its tables, and those of other interfaces. A table
// whose rule an ADD that was killed did not get to has a route of this plugin with such an address as source.
func ownTables(pod *facts.NetnsState, addresses map[netip.Addr]bool) (rules []facts.Rule, tables, ofOthers map[int]bool) {
	tables, ofOthers = map[int]bool{}, map[int]bool{}
	lookedUp := map[int]bool{}
	for _, rule := range pod.Rules {
		ours := rule.Proto == facts.Proto && !rule.Foreign && rule.Src.IsValid()
		switch {
		case ours && addresses[rule.Src.Addr()]:
			rules = append(rules, rule)
			tables[rule.Table] = true
			continue
		case ours:
			ofOthers[rule.Table] = true
		}
		lookedUp[rule.Table] = true
	}
	for _, route := range pod.Routes {
		if route.Proto == facts.Proto && route.Table >= FirstTable && addresses[route.Src] && !lookedUp[route.Table] {
			tables[route.Table] = true
		}
	}
	return rules, tables, ofOthers
}

// promoteDefaults brings the default route of another interface back to the main table, for each family
// without one, from the tables that this plugin's rules look up for interfaces.
func promoteDefaults(pod *facts.NetnsState, gone string, tables map[int]bool, hasDefault map[facts.Family]bool) []Op {
	var ops []Op
	for _, route := range pod.Routes {
		if tables[route.Table] && route.IsDefault() && route.Dev != gone && route.Dev != facts.PodVeth && !hasDefault[route.Family()] {
			hasDefault[route.Family()] = true
			route.Table = facts.TableMain
			ops = append(ops, Op{Do: AddRoute{facts.Pod, route}})
		}
	}
	return ops
}

// CollectRoutes plans the garbage collection of routes by a bridge, which stay when the pod's port goes. The permanent
// neighbour on that port is there before the route and after it, as long as the pod lives. Ports of other switches may
// have none.
func CollectRoutes(host *facts.NetnsState) []Op {
	var ops []Op
	for _, route := range host.Routes {
		living := func(neigh facts.Neigh) bool {
			link, ok := host.Link(neigh.Dev)
			return neigh.Permanent && neigh.IP == route.Dst.Addr() && ok && isPairKind(link.Kind)
		}
		link, _ := host.Link(route.Dev)
		byBridge := route.IsToPod() && route.Gw.IsValid() && link.Kind == "bridge"
		if byBridge && !slices.ContainsFunc(host.Neighs, living) {
			ops = append(ops, Op{Do: DropRoute{facts.Host, route}})
		}
	}
	return ops
}

// Collect plans the garbage collection of a network: the veth pairs of attachments that are not valid.
func Collect(links []facts.Link, network string, valid []types.GCAttachment) []Op {
	validSet := map[types.GCAttachment]bool{}
	for _, attachment := range valid {
		validSet[attachment] = true
	}
	var ops []Op
	for _, link := range links {
		owner, ok := ParseAlias(link.Alias)
		if !ok || link.Kind != "veth" {
			continue
		}
		expected := Owner{owner.ContainerID, owner.IfName, network}.Alias()
		if link.Alias == expected && !validSet[types.GCAttachment{ContainerID: owner.ContainerID, IfName: owner.IfName}] {
			ops = append(ops, Op{Do: DropLink{facts.Host, link.Name}})
		}
	}
	return ops
}
