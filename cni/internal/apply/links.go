package apply

import (
	"errors"
	"fmt"
	"net"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
)

func (k *Kernel) doLink(action plan.Action) error {
	switch a := action.(type) {
	case plan.AddVeth:
		return k.addVeth(a)
	case plan.DropLink:
		err := k.onLink(a.Side, a.Dev, (*netlink.Handle).LinkDel)
		k.indexes = nil // the kernel deletes both ends of a pair
		return err
	case plan.SetAlias:
		return k.onLink(a.Side, a.Dev, func(h *netlink.Handle, link netlink.Link) error { return h.LinkSetAlias(link, a.Alias) })
	case plan.SetMTU:
		return k.onLink(a.Side, a.Dev, func(h *netlink.Handle, link netlink.Link) error { return h.LinkSetMTU(link, a.MTU) })
	case plan.SetTxQLen:
		return k.onLink(a.Side, a.Dev, func(h *netlink.Handle, link netlink.Link) error { return h.LinkSetTxQLen(link, a.Len) })
	case plan.SetUp:
		if a.Up {
			return k.onLink(a.Side, a.Dev, (*netlink.Handle).LinkSetUp)
		}
		return k.onLink(a.Side, a.Dev, (*netlink.Handle).LinkSetDown)
	case plan.SetMAC:
		mac, err := net.ParseMAC(a.MAC)
		if err != nil {
			return err
		}
		return k.onLink(a.Side, a.Dev, func(h *netlink.Handle, link netlink.Link) error { return h.LinkSetHardwareAddr(link, mac) })
	}
	return fmt.Errorf("unsupported action %T", action)
}

func (k *Kernel) onLink(side facts.Side, dev string, work func(*netlink.Handle, netlink.Link) error) error {
	index, err := k.index(side, dev)
	if err != nil {
		return err
	}
	return work(k.netns(side).Netlink, &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: index, Name: dev}})
}

// addVeth creates both ends with one netlink message, so that no half of a pair can be left behind.
func (k *Kernel) addVeth(a plan.AddVeth) error {
	podMAC, err := net.ParseMAC(a.PodMAC)
	if err != nil {
		return err
	}
	hostMAC, err := net.ParseMAC(a.HostMAC)
	if err != nil {
		return err
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU, attrs.HardwareAddr = a.Pod, a.MTU, podMAC
	pair := netlink.NewVeth(attrs)
	pair.PeerName, pair.PeerMTU, pair.PeerHardwareAddr = a.Host, uint32(a.MTU), hostMAC
	pair.PeerNamespace = netlink.NsFd(k.Host.Fd())
	return k.Pod.Netlink.LinkAdd(pair)
}

func (k *Kernel) putMarks(a plan.PutMarks) error {
	return k.nft(func(conn *nftables.Conn) {
		table, chains := facts.MarkChains(a.Family, facts.PodVeth)
		if a.Replace {
			conn.DelTable(table)
		}
		conn.AddTable(table)
		for _, chain := range chains {
			conn.AddChain(chain.Chain)
			for _, rule := range chain.Rules {
				conn.AddRule(rule)
			}
		}
	})
}

func (k *Kernel) dropMarks(family facts.Family) error {
	return k.nft(func(conn *nftables.Conn) {
		table, _ := facts.MarkChains(family, facts.PodVeth)
		conn.DelTable(table)
	})
}

// nft sends a change of the pod's nftables as one transaction.
func (k *Kernel) nft(change func(*nftables.Conn)) error {
	conn, err := k.Pod.NFTables()
	if err != nil {
		return err
	}
	change(conn)
	err = conn.Flush()
	if err != nil {
		err = errors.Join(err, k.Pod.CloseNFTables())
	}
	if errors.Is(err, unix.EOPNOTSUPP) {
		return fmt.Errorf("%w (are the kernel modules nf_tables and nft_ct there?)", err)
	}
	return err
}
