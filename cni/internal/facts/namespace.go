package facts

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/containernetworking/plugins/pkg/ns"
	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Namespace is a network namespace, its netlink sockets and the folders of its settings. They are opened
// once and live as long as the process, which is short.
type Namespace struct {
	Netlink  *netlink.Handle
	netns    ns.NetNS
	current  bool // the process runs in it
	dumps    *nl.SocketHandle
	sysctls  map[string]int // descriptors of folders
	nftables *nftables.Conn
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
	return &Namespace{Netlink: handle, netns: netns, current: true}, nil
}

// OpenPath opens the namespace of a pod by its path.
func OpenPath(path string) (*Namespace, error) {
	netns, err := ns.GetNS(path)
	if err != nil {
		return nil, err
	}
	namespace := &Namespace{netns: netns}
	err = namespace.Do(func() error {
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

// Addresses reads the addresses of a link, or of all links where it is nil, none of them missing.
func (n *Namespace) Addresses(link netlink.Link, family int) ([]netlink.Addr, error) {
	addresses, err := dump(func() ([]netlink.Addr, error) { return n.Netlink.AddrList(link, family) })
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	return addresses, nil
}

// Same says whether two are the same network namespace.
func (n *Namespace) Same(other *Namespace) bool {
	var one, two unix.Stat_t
	return unix.Fstat(n.Fd(), &one) == nil && unix.Fstat(other.Fd(), &two) == nil && one.Dev == two.Dev && one.Ino == two.Ino
}

// Fd is the descriptor of the namespace.
func (n *Namespace) Fd() int { return int(n.netns.Fd()) }

// NumberOf is the number that another namespace has in this one (`ip netns list-id`); -1: none.
func (n *Namespace) NumberOf(other *Namespace) (int, error) {
	number, err := n.Netlink.GetNetNsIdByFd(other.Fd())
	if err != nil {
		return 0, fmt.Errorf("ask for the number of a network namespace: %w", err)
	}
	return number, nil
}

// Do runs a function inside the namespace, on the calling thread: another one would have to be woken, and on
// a busy node that costs more than the work. New sockets and the first look into /proc/sys/net need it. A
// thread that cannot return stays locked, so that nothing else ever runs on it.
func (n *Namespace) Do(work func() error) (err error) {
	if n.current {
		return work() // to enter it takes a capability
	}
	runtime.LockOSThread()
	home, err := netns.Get()
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("open the current network namespace: %w", err)
	}
	defer func() { _ = home.Close() }()
	if err := netns.Set(netns.NsHandle(n.Fd())); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter the network namespace %s: %w", n.netns.Path(), err)
	}
	defer func() {
		if leaveErr := netns.Set(home); leaveErr != nil {
			err = errors.Join(err, fmt.Errorf("leave the network namespace %s: %w", n.netns.Path(), leaveErr))
			return
		}
		runtime.UnlockOSThread()
	}()
	return work()
}

// NFTables returns the namespace's connection to nftables.
func (n *Namespace) NFTables() (*nftables.Conn, error) {
	if n.nftables != nil {
		return n.nftables, nil
	}
	err := n.Do(func() (err error) {
		n.nftables, err = nftables.New(nftables.AsLasting())
		return err
	})
	return n.nftables, err
}

// Close closes the sockets, for a process that looks into many namespaces.
func (n *Namespace) Close() {
	n.Netlink.Close()
	if n.dumps != nil {
		n.dumps.Close()
	}
	_ = n.CloseNFTables()
	n.closeSysctls()
	_ = n.netns.Close()
}

// CloseNFTables ends the connection: after an error, answers to what was sent may still be in it.
func (n *Namespace) CloseNFTables() error {
	conn := n.nftables
	n.nftables = nil
	if conn == nil {
		return nil
	}
	return conn.CloseLasting()
}
