package facts

import (
	"fmt"

	"github.com/containernetworking/plugins/pkg/ns"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Namespace is a network namespace and its netlink socket.
type Namespace struct {
	Netlink *netlink.Handle
	netns   ns.NetNS
}

// OpenCurrent opens the namespace the process runs in: the node's.
func OpenCurrent() (*Namespace, error) {
	netns, err := ns.GetCurrentNS()
	if err != nil {
		return nil, fmt.Errorf("open the node's network namespace: %w", err)
	}
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket on the node: %w", err)
	}
	return &Namespace{Netlink: handle, netns: netns}, nil
}

// OpenPath opens the namespace of a pod by its path.
func OpenPath(path string) (*Namespace, error) {
	netns, err := ns.GetNS(path)
	if err != nil {
		return nil, err
	}
	namespace := &Namespace{netns: netns}
	err = netns.Do(func(ns.NetNS) error {
		namespace.Netlink, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket in %s: %w", path, err)
	}
	return namespace, nil
}

// Links reads all links, none of them missing.
func (n *Namespace) Links() ([]netlink.Link, error) {
	links, err := dump(n.Netlink.LinkList)
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	return links, nil
}

// Fd is the descriptor of the namespace.
func (n *Namespace) Fd() int { return int(n.netns.Fd()) }

// Do runs a function on a thread that is inside the namespace; /proc/sys/net needs that.
func (n *Namespace) Do(work func() error) error {
	return n.netns.Do(func(ns.NetNS) error { return work() })
}
