package plan

import (
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/config"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// Request is one call of the runtime.
type Request struct {
	Config      *config.Config
	ContainerID string
	IfName      string
	Addresses   []netip.Addr   // of the interface, as the previous plugin reported them
	Prefixes    []netip.Prefix // the same with the lengths of their subnets
	// Attachments are the pod's interfaces in the order in which Multus adds them; nil: unknown.
	Attachments []string
	// Check: the plan is for CHECK, which knows of no address that the interface got after ADD.
	Check bool
	// Gateways are those of the default routes in prevResult.
	Gateways map[facts.Family]netip.Addr
	// Routes are the others with a gateway there: destination and gateway.
	Routes []facts.Route
}

// Plan is an ordered list of operations, and warnings for the user.
type Plan struct {
	Ops      []Op
	Warnings []string
	// Veth is the pair that the plan adds or uses.
	Veth VethPair
	// MAC is the desired hardware address of the interface, where a prefix is configured.
	MAC string
	// Announce is set when that address is new, so that neighbours must learn it.
	Announce bool
	// Missing are addresses of prevResult that the interface does not have.
	Missing []netip.Addr
}

// VethPair is the pair of links (veth or netkit) that connects the pod with its node. The cluster network's
// may have no end on the node (an internal port of Open vSwitch), and no hardware addresses (netkit).
type VethPair struct {
	PodDev, HostDev    string
	PodMAC, HostMAC    string
	AddedByCoordinator bool // underlay; in overlay mode the cluster network added it
}

func (r *Request) first() bool { return r.IfName == r.Config.First }

func (r *Request) owner() Owner {
	return Owner{r.ContainerID, r.IfName, r.Config.Network}
}

// Underlay decides the mode: the first interface and every one of a pod that has veth0 already are
// underlay, another interface beside a cluster network's is overlay.
func (r *Request) Underlay(f *facts.Facts) bool {
	if r.Config.Mode != config.ModeAuto {
		return r.Config.Mode == config.ModeUnderlay
	}
	if r.first() {
		return true
	}
	_, ok := f.Pod.Link(facts.PodVeth)
	return ok
}

// addresses are those of the interface in a family, from the kernel (which knows addresses from
// router advertisements) and from the previous plugin.
func (r *Request) addresses(f *facts.Facts, dev string, family facts.Family) []netip.Addr {
	addrs := f.Pod.Usable(dev, family)
	if r.Check {
		addrs = r.presentAtAdd(f, dev, addrs)
	}
	if dev != r.IfName {
		return addrs
	}
	listed := map[netip.Addr]bool{}
	for _, ip := range addrs {
		listed[ip] = true
	}
	for _, ip := range r.Addresses {
		if facts.FamilyOf(ip) == family && facts.IsUsable(ip) && !listed[ip] {
			addrs = append(addrs, ip)
		}
	}
	return addrs
}

// missing are the addresses of prevResult that the interface does not have, in families that the pod has.
func (r *Request) missing(f *facts.Facts) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(r.Addresses), func(ip netip.Addr) bool {
		assigned := func(addr facts.Addr) bool { return addr.Dev == r.IfName && addr.Prefix.Addr() == ip }
		return !f.Pod.Has(facts.FamilyOf(ip)) || slices.ContainsFunc(f.Pod.Addrs, assigned)
	})
}

// presentAtAdd leaves out of an interface's addresses those that it got after the ADD, from a router or from
// somebody in the pod: IPAM did not give them, and neither node nor pod has an entry for them.
func (r *Request) presentAtAdd(f *facts.Facts, dev string, addrs []netip.Addr) []netip.Addr {
	present := map[netip.Addr]bool{}
	for _, ip := range addrs {
		if (dev == r.IfName && slices.Contains(r.Addresses, ip)) || hasEntry(f, ip) {
			present[ip] = true
		}
	}
	return slices.DeleteFunc(addrs, func(ip netip.Addr) bool {
		entry, _ := f.Pod.Addr(ip)
		return !present[ip] && (entry.Dynamic || len(present) > 0)
	})
}

// hasEntry says whether node or pod has an entry for an address of the pod.
func hasEntry(f *facts.Facts, ip netip.Addr) bool {
	known := func(prefix netip.Prefix) bool { return prefix.IsSingleIP() && prefix.Addr() == ip }
	return slices.ContainsFunc(f.Host.Routes, func(route facts.Route) bool { return known(route.Dst) }) ||
		slices.ContainsFunc(f.Pod.Rules, func(rule facts.Rule) bool { return known(rule.Src) }) ||
		slices.ContainsFunc(f.Pod.Routes, func(route facts.Route) bool { return route.Proto == facts.Proto && route.Src == ip })
}

// macFor makes the hardware address from the prefix and an address of the interface: all of an IPv4 address. Those of
// IPv6 end alike in several subnets of a segment, so that the last four bytes are mixed with a sum of the others; within
// a subnet they stay as different as they are. One that has the last four bytes alone, by an earlier release, keeps it.
func macFor(prefix []byte, ip netip.Addr, existing string) string {
	bytes := ip.AsSlice()
	rest, last := bytes[:len(bytes)-4], bytes[len(bytes)-4:]
	mac := net.HardwareAddr(append(append([]byte{}, prefix...), last...))
	if len(rest) == 0 || mac.String() == existing {
		return mac.String()
	}
	sum := fnv.New32a()
	_, _ = sum.Write(rest)
	for i, each := range sum.Sum(nil) {
		mac[len(prefix)+i] ^= each
	}
	return mac.String()
}

// errNoAddress is the error for an interface that nothing can be routed to.
func errNoAddress(dev string) error {
	return fmt.Errorf("no usable IP addresses on %q: the coordinator needs an interface with an address; "+
		"check the ipam section of the plugin before it, or set the coordinator's mode to disabled for this network", dev)
}
