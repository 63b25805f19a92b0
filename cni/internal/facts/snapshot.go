package facts

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Keys of settings of the whole node.
const (
	Forward4     = "net/ipv4/ip_forward"
	Forward6     = "net/ipv6/conf/all/forwarding"
	SrcValidMark = "net/ipv4/conf/all/src_valid_mark"
)

// HostRules reads the node's rules and this plugin's routes, of which the links do not matter.
func HostRules(host *Namespace) (*NetnsState, error) {
	state := &NetnsState{}
	var err error
	if state.Rules, err = readRules(host.Netlink); err != nil {
		return nil, err
	}
	if err := readRoutes(host, func(int) string { return "" }, state); err != nil {
		return nil, err
	}
	return state, nil
}

// DeviceTo asks the kernel by which link it would send to an address; empty: by none. It needs no capability.
func (n *Namespace) DeviceTo(ip netip.Addr, state *NetnsState) string {
	routes, err := n.Netlink.RouteGet(ip.AsSlice())
	if err != nil || len(routes) == 0 || (routes[0].Type != unix.RTN_UNICAST && routes[0].Type != unix.RTN_LOCAL) {
		return ""
	}
	link, _ := state.LinkByIndex(routes[0].LinkIndex)
	return link.Name
}

// PodSnapshot reads the state of a pod, complete but for its node.
func PodSnapshot(pod *Namespace) (*NetnsState, error) {
	state := &NetnsState{}
	if err := readPod(pod, state, Query{}); err != nil {
		return nil, fmt.Errorf("read the state of the pod: %w", err)
	}
	return state, nil
}

// HostEntries reads what the node has of pods, without settings.
func HostEntries(host *Namespace) (*NetnsState, error) {
	state := &NetnsState{}
	name, err := readRouting(host, state)
	if err == nil {
		state.Neighs, err = readNeighs(host, Families, netip.Addr.IsValid, name)
	}
	if err != nil {
		return nil, fmt.Errorf("read the state of the node: %w", err)
	}
	return state, nil
}

// Snapshot reads the complete state of the node, which needs no capability. It is proportional to the
// number of links; ADD reads less.
func Snapshot(host *Namespace) (*NetnsState, error) {
	state, err := HostEntries(host)
	if err != nil {
		return nil, err
	}
	keys := []string{Forward4, Forward6, SrcValidMark, TCPLiberal, RPFilter("all")}
	for _, link := range state.Links {
		keys = append(keys, RPFilter(link.Name), Forwarding(link.Name))
	}
	state.Sysctls = host.readSysctls(keys)
	return state, nil
}

// HostAddrs reads the addresses of the node that other machines can talk to, of which the links do not matter.
func HostAddrs(host *Namespace) ([]Addr, error) {
	addrs, err := usableAddrs(host)
	return fromAddrs(addrs, func(int) string { return "" }), err
}

// HostRouting reads what the source of the node's routes to pods follows from. It needs no capability.
func HostRouting(host *Namespace) (*Facts, error) {
	observed := &Facts{Sources: map[Family]netip.Addr{}, Routers: map[Family]netip.Addr{}}
	if _, err := readRouting(host, &observed.Host); err != nil {
		return nil, fmt.Errorf("read the state of the node: %w", err)
	}
	observed.Host.NoIPv6 = host.lacksIPv6()
	readDefaultRoutes(host.Netlink, observed)
	return observed, nil
}
