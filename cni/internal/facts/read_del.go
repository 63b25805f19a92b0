package facts

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// HostLink reads one link of the node; ok is false when there is none of that name.
func HostLink(host *Namespace, name string) (link Link, ok bool, err error) {
	return linkByName(host.Netlink, name)
}

func linkByName(handle *netlink.Handle, name string) (link Link, ok bool, err error) {
	nlLink, err := handle.LinkByName(name)
	var notFound netlink.LinkNotFoundError
	if errors.As(err, &notFound) {
		return Link{}, false, nil
	}
	if err != nil {
		return Link{}, false, fmt.Errorf("get link %s of the node: %w", name, err)
	}
	return fromLink(nlLink), true, nil
}

// HostLinks reads all links of the node.
func HostLinks(host *Namespace) ([]Link, error) {
	var state NetnsState
	_, err := readLinks(host.Netlink, &state)
	return state.Links, err
}

// HostEntries reads the node's routes and neighbours of addresses.
func HostEntries(host *Namespace, addrs []netip.Addr) (*NetnsState, error) {
	podAddrs := addrSet{}
	for _, ip := range addrs {
		podAddrs[ip] = true
	}
	var state NetnsState
	var err error
	name := newLinkCache(host.Netlink).name
	if state.Routes, err = readHostRoutes(host.Netlink, unix.RT_TABLE_UNSPEC, podAddrs, name); err != nil {
		return nil, err
	}
	state.Neighs, err = readNeighs(host.Netlink, familiesOf(podAddrs), podAddrs.has, name)
	return &state, err
}

// PodRoutes reads what DEL needs of a living pod.
func PodRoutes(pod *Namespace) (*NetnsState, error) {
	var state NetnsState
	if _, err := readRouting(pod.Netlink, &state); err != nil {
		return nil, err
	}
	return &state, nil
}
