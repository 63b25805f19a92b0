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
	found, err := handle.LinkByName(name)
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
func HostEntries(host *Namespace, known []netip.Addr) (*Space, error) {
	own := addresses{}
	for _, ip := range known {
		own[ip] = true
	}
	var space Space
	var err error
	name := newResolver(host.Netlink).name
	if space.Routes, err = readHostRoutes(host.Netlink, unix.RT_TABLE_UNSPEC, own, name); err != nil {
		return nil, err
	}
	space.Neighs, err = readNeighs(host.Netlink, familiesOf(own), own.has, name)
	return &space, err
}

// PodRoutes reads what DEL needs of a living pod.
func PodRoutes(pod *Namespace) (*Space, error) {
	var space Space
	if _, err := readRouting(pod.Netlink, &space); err != nil {
		return nil, err
	}
	return &space, nil
}
