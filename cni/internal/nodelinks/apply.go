package nodelinks

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/ifacer"
)

// Run carries operations out in order. When one fails, what was done is undone in reverse order.
func Run(handle *netlink.Handle, ops []ifacer.Operation) error {
	var undo []func() error
	for _, op := range ops {
		steps, err := run(handle, op)
		undo = append(undo, steps...)
		if err == nil {
			continue
		}
		err = fmt.Errorf("%s: %w", op, explained(op, err))
		for i := len(undo) - 1; i >= 0; i-- {
			if undoErr := undo[i](); undoErr != nil {
				err = fmt.Errorf("%w; and undoing failed: %w", err, undoErr)
			}
		}
		return err
	}
	return nil
}

// explained adds what to do about errors of the kernel that say little.
func explained(op ifacer.Operation, err error) error {
	var remedy string
	switch op := op.(type) {
	case ifacer.AddVLAN:
		switch {
		case errors.Is(err, unix.EOPNOTSUPP):
			remedy = fmt.Sprintf("the node's kernel has no VLANs (modprobe 8021q), or %s cannot carry them", op.Parent)
		case errors.Is(err, unix.EEXIST):
			remedy = fmt.Sprintf("VLAN %d of %s is in another network namespace already (the vlan plugin moves it into a pod): "+
				"use one of both plugins for it", op.ID, op.Parent)
		}
	case ifacer.AddBond:
		switch {
		case errors.Is(err, unix.EOPNOTSUPP):
			remedy = "the node's kernel has no bonds (modprobe bonding)"
		case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
			remedy = "an option of bond.options does not go with bond.mode or with another one"
		}
	case ifacer.Enslave:
		if errors.Is(err, unix.EBUSY) {
			remedy = fmt.Sprintf("%s is in use: pods' interfaces or a bridge are on it", op.Name)
		}
	}
	if remedy == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, remedy)
}

// run carries one operation out and returns how what was done of it is undone, in the order of the steps.
func run(handle *netlink.Handle, op ifacer.Operation) (undo []func() error, err error) {
	switch op := op.(type) {
	case ifacer.SetUp:
		return onLink(handle, op.Name, handle.LinkSetUp, handle.LinkSetDown)
	case ifacer.SetMTU:
		return onLink(handle, op.Name,
			func(link netlink.Link) error { return handle.LinkSetMTU(link, op.MTU) },
			func(link netlink.Link) error { return handle.LinkSetMTU(link, op.Before) })
	case ifacer.AddVLAN:
		return addVLAN(handle, op)
	case ifacer.AddBond:
		return addBond(handle, op)
	case ifacer.Enslave:
		return enslave(handle, op)
	case ifacer.Activate:
		return nil, activate(handle, op)
	}
	return nil, fmt.Errorf("there is no operation %T", op)
}

func onLink(handle *netlink.Handle, name string, do, back func(netlink.Link) error) ([]func() error, error) {
	link, err := handle.LinkByName(name)
	if err != nil {
		return nil, err
	}
	if err := do(link); err != nil {
		return nil, err
	}
	return []func() error{func() error { return back(link) }}, nil
}

func addVLAN(handle *netlink.Handle, op ifacer.AddVLAN) ([]func() error, error) {
	parent, err := handle.LinkByName(op.Parent)
	if err != nil {
		return nil, err
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex = op.Name, parent.Attrs().Index
	undo, err := add(handle, &netlink.Vlan{LinkAttrs: attrs, VlanId: op.ID, VlanProtocol: netlink.VLAN_PROTOCOL_8021Q})
	if err != nil {
		return undo, err
	}
	up, err := onLink(handle, op.Name, handle.LinkSetUp, handle.LinkSetDown)
	return append(undo, up...), err
}

func addBond(handle *netlink.Handle, op ifacer.AddBond) ([]func() error, error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = op.Name, op.MTU
	bond := netlink.NewLinkBond(attrs)
	bond.Mode = netlink.BondMode(op.Mode)
	err := setOptions(bond, op.Options, func(name string) (int, error) {
		link, err := handle.LinkByName(name)
		if err != nil {
			return 0, err
		}
		return link.Attrs().Index, nil
	})
	if err != nil {
		return nil, err
	}
	return add(handle, bond)
}

// add adds a link and marks it as one of this plugin's.
func add(handle *netlink.Handle, link netlink.Link) ([]func() error, error) {
	if err := handle.LinkAdd(link); err != nil {
		return nil, err
	}
	return onLink(handle, link.Attrs().Name,
		func(made netlink.Link) error {
			if err := handle.LinkSetAlias(made, ifacer.Alias); err != nil {
				return errors.Join(err, handle.LinkDel(made))
			}
			return nil
		}, handle.LinkDel)
}

// enslave puts a link into a bond, for which the kernel wants it down; the bond sets it up again.
func enslave(handle *netlink.Handle, op ifacer.Enslave) ([]func() error, error) {
	bond, err := handle.LinkByName(op.Bond)
	if err != nil {
		return nil, err
	}
	member, err := handle.LinkByName(op.Name)
	if err != nil {
		return nil, err
	}
	var undo []func() error
	if op.WasUp {
		if err := handle.LinkSetDown(member); err != nil {
			return nil, err
		}
		undo = append(undo, func() error { return handle.LinkSetUp(member) })
	}
	if err := handle.LinkSetMaster(member, bond); err != nil {
		return undo, err
	}
	return append(undo, func() error { return handle.LinkSetNoMaster(member) }), nil
}

// activate makes a member the active one. The kernel refuses one whose link is not up, or not yet, as with
// updelay: a bond is there so that another one carries the traffic then.
func activate(handle *netlink.Handle, op ifacer.Activate) error {
	member, err := handle.LinkByName(op.Name)
	if err != nil {
		return err
	}
	// By its name alone: a name beside an index asks for a renaming, which Linux before 6.2 refuses for
	// every link that is up, whatever the name (dev_change_name).
	attrs := netlink.NewLinkAttrs()
	attrs.Name = op.Bond
	change := netlink.NewLinkBond(attrs)
	change.ActiveSlave = member.Attrs().Index
	if err := handle.LinkModify(change); !errors.Is(err, unix.EINVAL) {
		return err
	}
	return nil
}
