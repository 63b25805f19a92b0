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
	found, err := host.Netlink.LinkByName(name)
	var missing netlink.LinkNotFoundError
	if errors.As(err, &missing) {
		return Link{}, false, nil
	}
	if err != nil {
		return Link{}, false, fmt.Errorf("look for link %s on the node: %w", name, err)
	}
	return fromLink(found), true, nil
}

// HostLinks reads all links of the node.
func HostLinks(host *Namespace) ([]Link, error) {
	var space Space
	_, err := readLinks(host.Netlink, &space)
	return space.Links, err
}

// HostEntries reads the routes of ours and the neighbours that the node has for addresses.
func HostEntries(host *Namespace, addresses []netip.Addr) (*Space, error) {
	own := map[netip.Addr]bool{}
	for _, ip := range addresses {
		own[ip] = true
	}
	var space Space
	names, err := readLinks(host.Netlink, &space)
	if err != nil {
		return nil, err
	}
	if space.Routes, err = readHostRoutes(host.Netlink, unix.RT_TABLE_UNSPEC, own, names); err != nil {
		return nil, err
	}
	neighs, err := readNeighs(host.Netlink, names)
	if err != nil {
		return nil, err
	}
	for _, neigh := range neighs {
		if own[neigh.IP] {
			space.Neighs = append(space.Neighs, neigh)
		}
	}
	return &space, nil
}

// PodRoutes reads what DEL needs of a living pod.
func PodRoutes(pod *Namespace) (*Space, error) {
	var space Space
	names, err := readLinks(pod.Netlink, &space)
	if err != nil {
		return nil, err
	}
	if space.Addrs, err = readAddrs(pod.Netlink, names); err != nil {
		return nil, err
	}
	if space.Rules, err = readRules(pod.Netlink); err != nil {
		return nil, err
	}
	space.Routes, err = readRoutes(pod.Netlink, names)
	return &space, err
}
