// Package facts describes and reads the network state of a pod and of its node.
//
// The types here are plain comparable values: links are named, not numbered, so that a plan can
// speak about a link that does not exist yet, and states can be compared in tests.
package facts

import (
	"net/netip"
	"slices"
)

// Proto is the protocol number (rtm_protocol) of every route and rule of this plugin: `ip route show
// proto 92` lists them, and nothing foreign is ever removed.
const Proto = 92

// RouteTables of the kernel that have a fixed meaning.
const (
	TableMain  = 254
	TableLocal = 255
)

// Kernel values of route scope and type used by this plugin.
const (
	ScopeUniverse = 0
	ScopeLink     = 253
)

// MetricIPv6 is what the kernel stores for an IPv6 route that names no metric.
const MetricIPv6 = 1024

// ProtoRA is the protocol of routes learned from router advertisements.
const ProtoRA = 9

// ProtoKernel is the protocol of routes that the kernel makes for addresses.
const ProtoKernel = 2

// Side is the network namespace of an object: the pod's or the node's.
type Side int

// The two network namespaces that a veth pair connects.
const (
	Pod Side = iota
	Host
)

func (s Side) String() string {
	if s == Host {
		return "node"
	}
	return "pod"
}

// Family is an IP family.
type Family int

// The two IP families.
const (
	V4 Family = 4
	V6 Family = 6
)

// Families lists both, IPv4 first.
var Families = []Family{V4, V6}

func (f Family) String() string {
	if f == V6 {
		return "IPv6"
	}
	return "IPv4"
}

// FamilyOf returns the family of an address.
func FamilyOf(addr netip.Addr) Family {
	if addr.Is4() {
		return V4
	}
	return V6
}

// Link is a network interface.
type Link struct {
	Index   int
	Peer    int // index of the other end of a veth, in the other namespace; 0 when there is none
	Master  int // index of the bridge or switch that the link is a port of; 0 when it is none
	Name    string
	Kind    string
	Alias   string
	MAC     string
	MTU     int
	TxQLen  int
	Up      bool
	Carrier bool
	// PeerElsewhere: the peer of a veth is in another namespace, which is not being deleted.
	PeerElsewhere bool
	// PeerNetns is the kernel's number of that namespace (`ip netns list-id`).
	PeerNetns int
}

// Addr is an address of a link.
type Addr struct {
	Dev       string
	Prefix    netip.Prefix
	Scope     int
	Tentative bool
	DADFailed bool // duplicate address detection found another owner
	Dynamic   bool // has a lifetime: learned from a router, so that it comes and goes
	// Unpreferred: to add it so that the kernel chooses it as a source only where there is no other (IPv6).
	Unpreferred bool
	// Passing: not to be used for new connections (deprecated, as virtual addresses often are), or for a day
	// only (temporary, RFC 8981).
	Passing bool
}

// Route is a route with at most one next hop.
type Route struct {
	Dst    netip.Prefix
	Gw     netip.Addr
	Dev    string
	Src    netip.Addr
	Table  int
	Metric int
	MTU    int
	AdvMSS int
	Proto  int
	Scope  int
	Onlink bool
	// Type is another type than unicast (blackhole, unreachable, prohibit, throw); 0: unicast.
	Type int
}

// Family returns the IP family of the route.
func (r Route) Family() Family { return FamilyOf(r.Dst.Addr()) }

// IsDefault says whether the route matches everything.
func (r Route) IsDefault() bool { return r.Dst.Bits() == 0 }

// IsToPod says whether a route of the node is one that this plugin made to an address of a pod.
func (r Route) IsToPod() bool { return r.Proto == Proto && r.Dst.IsSingleIP() }

// Rule is a routing policy rule that selects by source or mark.
type Rule struct {
	Family   Family
	Priority int
	Src      netip.Prefix // invalid: from all
	Mark     uint32
	Mask     uint32
	Table    int
	Proto    int
	Foreign  bool // has selectors that this plugin never uses
}

// Neigh is a neighbour entry.
type Neigh struct {
	Dev       string
	IP        netip.Addr
	MAC       string
	Permanent bool
}

// MarkState says how much of the private nftables table of a family is in place.
type MarkState int

// States of the nftables table.
const (
	MarksAbsent MarkState = iota
	MarksBroken
	MarksComplete
)

// NetnsState is the state of one network namespace, as far as this plugin needs it.
type NetnsState struct {
	Links  []Link
	Addrs  []Addr
	Routes []Route // unicast ones
	// Special are routes that this plugin neither copies nor moves: of other types, and with several next
	// hops or a tunnel, one entry for each link.
	Special []Route
	Rules   []Rule
	Neighs  []Neigh
	Sysctls map[string]string
	Marks   map[Family]MarkState
	NoIPv6  bool // the kernel has none
}

// Facts is the observed state of a pod and its node.
type Facts struct {
	Pod, Host NetnsState
	// Sources holds the address the node uses by default, for each family it has a default route for.
	Sources map[Family]netip.Addr
	// Routers holds the router of the node's default route, for each family that has one.
	Routers map[Family]netip.Addr
	// ToFirst is the node's route to the first interface of the pod, where the cluster network added that:
	// destination, device, and the router if there is one between.
	ToFirst map[Family]Route
	// ClusterMTU is the smallest MTU of the node's routes to networks of the cluster; 0: none known.
	ClusterMTU int
}

// Of returns the state of one side.
func (f *Facts) Of(side Side) *NetnsState {
	if side == Host {
		return &f.Host
	}
	return &f.Pod
}

// Link returns the link of that name.
func (s *NetnsState) Link(name string) (Link, bool) {
	for _, link := range s.Links {
		if link.Name == name {
			return link, true
		}
	}
	return Link{}, false
}

// LinkByIndex returns the link of that index.
func (s *NetnsState) LinkByIndex(index int) (Link, bool) {
	for _, link := range s.Links {
		if link.Index == index {
			return link, true
		}
	}
	return Link{}, false
}

// PeerOf returns the link of this state whose peer is a link of another one, which points back.
func (s *NetnsState) PeerOf(other Link) (Link, bool) {
	for _, link := range s.Links {
		if link.Peer != 0 && link.Peer == other.Index && other.Peer == link.Index {
			return link, true
		}
	}
	return Link{}, false
}

// Typed returns the routes that are not unicast: they lead nowhere, and have a link only by name.
func (s *NetnsState) Typed() []Route {
	return slices.DeleteFunc(slices.Clone(s.Special), func(route Route) bool { return route.Type == 0 })
}

// Usable returns the addresses of a link that other machines can talk to: no link-local and no
// multicast ones. Addresses of one family only; tentative ones count, since duplicate address
// detection ends soon after ADD. The first is the one to use as source: learned addresses come after
// those of IPAM, then deprecated and temporary ones, and the ones that another machine has come last.
func (s *NetnsState) Usable(dev string, family Family) []netip.Addr {
	var assigned, learned, passing, failed []netip.Addr
	for _, addr := range s.Addrs {
		ip := addr.Prefix.Addr()
		switch {
		case addr.Dev != dev || FamilyOf(ip) != family || !IsUsable(ip):
		case addr.DADFailed:
			failed = append(failed, ip)
		case addr.Passing:
			passing = append(passing, ip)
		case addr.Dynamic:
			learned = append(learned, ip)
		default:
			assigned = append(assigned, ip)
		}
	}
	return slices.Concat(assigned, learned, passing, failed)
}

// Addr returns the entry of an address, on whichever link.
func (s *NetnsState) Addr(ip netip.Addr) (Addr, bool) {
	for _, addr := range s.Addrs {
		if addr.Prefix.Addr() == ip {
			return addr, true
		}
	}
	return Addr{}, false
}

// IsUsable says whether other machines can talk to the address.
func IsUsable(ip netip.Addr) bool {
	return ip.IsValid() && !ip.IsLinkLocalUnicast() && !ip.IsLoopback() && !ip.IsMulticast() && !ip.IsUnspecified()
}
