package plan

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// ConflictError says that an address of the pod is in use by another container of the node.
type ConflictError struct{ text string }

func (e *ConflictError) Error() string { return e.text }

// isHostVethOf says whether a link of the node with the name of a container's host veth is that: by its
// alias, or by the hardware address where the process died before it wrote the alias.
func isHostVethOf(host facts.Link, containerID string) bool {
	owner, ok := ParseAlias(host.Alias)
	if ok {
		return host.Kind == "veth" && owner.ContainerID == containerID
	}
	return host.Kind == "veth" && host.Alias == "" && host.MAC == HostMAC(containerID)
}

// checkAddresses refuses addresses of the pod that are in use elsewhere.
func (a *adder) checkAddresses(families []facts.Family) error {
	for _, family := range families {
		for _, ip := range a.req.addresses(a.facts, a.req.IfName, family) {
			if err := a.checkNotTheNodes(ip, family); err != nil {
				return err
			}
			if err := a.checkFree(ip); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkNotTheNodes refuses an address that the node has itself, which it never sends to a pod, and that of
// its router, whose place in the segment the pod would take.
func (a *adder) checkNotTheNodes(ip netip.Addr, family facts.Family) error {
	const remedy = "exclude it from the IPAM range of the network, and delete the pod"
	for _, addr := range a.facts.Host.Addrs {
		if addr.Prefix.Addr() == ip {
			return &ConflictError{fmt.Sprintf("address %s is the node's own, of its interface %s: %s", ip, addr.Dev, remedy)}
		}
	}
	if a.facts.Routers[family] == ip {
		return &ConflictError{fmt.Sprintf("address %s is the router of the node's default route: %s", ip, remedy)}
	}
	return nil
}

// checkFree refuses an address that the node routes to another container's link, or that has a permanent
// neighbour there. What is left of containers that are gone is no obstacle.
func (a *adder) checkFree(ip netip.Addr) error {
	for _, route := range a.facts.Host.Routes {
		if link, ok := a.legOfAnother(route.Dev); ok && route.Dst.IsSingleIP() && route.Dst.Addr() == ip {
			return &ConflictError{fmt.Sprintf("address %s is already routed to %s", ip, a.describeLeg(link))}
		}
	}
	for _, neigh := range a.facts.Host.Neighs {
		if link, ok := a.legOfAnother(neigh.Dev); ok && neigh.Permanent && neigh.IP == ip {
			return &ConflictError{fmt.Sprintf("address %s already has a permanent neighbour entry of %s", ip, a.describeLeg(link))}
		}
	}
	return nil
}

// legOfAnother returns a link of the node that leads to a living container which is not the one of this call.
func (a *adder) legOfAnother(dev string) (facts.Link, bool) {
	link, ok := a.facts.Host.Link(dev)
	if !ok || dev == a.veth.HostDev || !isPairKind(link.Kind) || !link.PeerElsewhere {
		return facts.Link{}, false
	}
	_, own := a.facts.Pod.PeerOf(link)
	return link, !own
}

func isPairKind(kind string) bool { return kind == "veth" || kind == "netkit" }

const (
	apart = "keep the IPAM ranges of two networks apart, or wait until that pod is deleted"
	twice = "the network's IPAM gave the address twice, as whereabouts does while its reconciler runs (spidercoordinator doctor " +
		"says how to stop it); delete one of the two pods"
)

// describeLeg names whose a link is, and what to do about an address that leads there.
func (a *adder) describeLeg(link facts.Link) string {
	owner, ok := ParseAlias(link.Alias)
	if !ok {
		return fmt.Sprintf("another pod of this node by the link %s (ip route show dev %s names its other addresses): %s", link.Name, link.Name, apart)
	}
	remedy := apart
	if (Owner{owner.ContainerID, owner.IfName, a.req.Config.Network}).Alias() == link.Alias {
		remedy = twice
	}
	return fmt.Sprintf("container %s of this node (its interface %s, network %s, link %s): %s; if no such container exists any more: ip link del %s",
		owner.ContainerID, owner.IfName, owner.Network, link.Name, remedy, link.Name)
}

// dropStaleRoutes removes other routes of the node to an address of the pod, which are of containers
// that are gone.
func (a *adder) dropStaleRoutes(desired facts.Route) {
	desired = canonical(desired)
	for _, existing := range a.facts.Host.Routes {
		if existing.Table == desired.Table && existing.Dst == desired.Dst && existing.Metric != desired.Metric {
			a.dropRoute(facts.Host, existing)
		}
	}
}

// OwnsNetns says whether a network namespace is that of the container: the path that the runtime names
// may belong to another one by now. The node's entries tell; where they are gone, what the interface has of
// prevResult does. The hardware address alone is no proof: all ipvlan interfaces of a node have their
// master's, and with podMACPrefix it follows from the address, which another pod may have now.
func (r Removal) OwnsNetns(pod, host *facts.NetnsState) bool {
	for dev := range r.markedLegs(host) {
		if link, ok := host.Link(dev); ok {
			if _, inside := pod.PeerOf(link); inside {
				return true
			}
		}
	}
	assigned := UsableAddresses(pod, r.IfName)
	for _, route := range host.Routes {
		if route.IsToPod() && route.Metric != 0 && slices.Contains(assigned, route.Dst.Addr()) {
			return r.owns(route) // by a bridge or switch, or another container's
		}
	}
	if r.leadsToAnother(pod, host) {
		return false
	}
	link, ok := pod.Link(r.IfName)
	sameAddress := len(r.Addresses) == 0 || slices.ContainsFunc(assigned, func(ip netip.Addr) bool { return slices.Contains(r.Addresses, ip) })
	return ok && r.MAC != "" && link.MAC == r.MAC && sameAddress
}

// leadsToAnother says whether a namespace's veth0 is the other end of another container's host veth.
func (r Removal) leadsToAnother(pod, host *facts.NetnsState) bool {
	return slices.ContainsFunc(host.Links, func(link facts.Link) bool {
		inside, paired := pod.PeerOf(link)
		owner, known := ParseAlias(link.Alias)
		return paired && inside.Name == facts.PodVeth && known && owner.ContainerID != r.ContainerID
	})
}
