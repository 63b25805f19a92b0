package ifacer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Plan returns the operations that bring the node's links to the desired state; none when they are. What
// is there already is taken as it is if it has the desired properties, whoever made it, and is an error
// that names both otherwise: nothing that others configured is changed.
func Plan(links Links, cfg *Config) ([]Operation, error) {
	var ops []Operation
	var parent Link
	if cfg.Bond != nil {
		bondOps, bond, err := planBond(links, cfg)
		if err != nil {
			return nil, err
		}
		ops, parent = bondOps, bond
	} else {
		link, found := links.ByName(cfg.Interfaces[0])
		if !found {
			return nil, notFound("interfaces[0]", cfg.Interfaces[0])
		}
		parent = link
		if cfg.VLAN == 0 {
			return nil, nil
		}
		if !parent.Up {
			ops = append(ops, SetUp{parent.Name})
		}
	}
	if cfg.VLAN == 0 {
		return ops, nil
	}
	vlanOps, err := planVLAN(links, cfg, parent)
	if err != nil {
		return nil, err
	}
	return append(ops, vlanOps...), nil
}

func notFound(field, name string) error {
	return fmt.Errorf("%s is %q, and this node has no such interface: name one that `ip link` shows here", field, name)
}

// planVLAN plans the VLAN interface. A parent that is still to be made has no index.
func planVLAN(links Links, cfg *Config, parent Link) ([]Operation, error) {
	name := cfg.VLANName()
	existing, found := links.ByName(name)
	if !found {
		if other, taken := links.vlanOn(parent, cfg.VLAN); taken {
			return nil, fmt.Errorf("VLAN %d of %s is interface %s already, and the network needs it by the name %s: "+
				"rename %s, or give the network %s as its master and no vlanID", cfg.VLAN, parent.Name, other.Name, name, other.Name, other.Name)
		}
		return []Operation{AddVLAN{Name: name, Parent: parent.Name, ID: cfg.VLAN}}, nil
	}
	if err := links.vlanDiffers(existing, cfg, parent); err != nil {
		return nil, err
	}
	var ops []Operation
	// The kernel lowers a VLAN interface's MTU with its parent's, but does not raise it again.
	if existing.isOurs() && existing.MTU < parent.MTU {
		ops = append(ops, SetMTU{Name: existing.Name, MTU: parent.MTU, Before: existing.MTU})
	}
	if !existing.Up {
		ops = append(ops, SetUp{existing.Name})
	}
	return ops, nil
}

func (l Links) vlanOn(parent Link, id int) (Link, bool) {
	for _, link := range l {
		if link.Kind == "vlan" && parent.Index != 0 && link.isOn(parent) && link.VLAN == id && link.VLANProtocol == "802.1q" {
			return link, true
		}
	}
	return Link{}, false
}

func (l Link) isOn(parent Link) bool { return !l.ParentElsewhere && l.Parent == parent.Index }

// vlanDiffers is the error of an interface of the desired name that is something else.
func (l Links) vlanDiffers(existing Link, cfg *Config, parent Link) error {
	wanted := fmt.Sprintf("VLAN %d (802.1q) on %s", cfg.VLAN, parent.Name)
	var is string
	switch {
	case existing.Kind != "vlan":
		is = "of kind " + existing.Kind
	case existing.VLAN != cfg.VLAN || existing.VLANProtocol != "802.1q" || !existing.isOn(parent):
		on := "an interface of another network namespace"
		if !existing.ParentElsewhere {
			on = l.nameOf(existing.Parent)
		}
		is = fmt.Sprintf("VLAN %d (%s) on %s", existing.VLAN, existing.VLANProtocol, on)
	default:
		return nil
	}
	return differs(existing.Name, is, wanted)
}

// differs names an interface, what it is and what it should be.
func differs(name, is, wanted string) error {
	return fmt.Errorf("interface %s is there and is %s, the network needs %s: "+
		"rename or delete that interface (ip link del %s), or change the network", name, is, wanted, name)
}

// planBond plans the bond, and returns it as it will be.
func planBond(links Links, cfg *Config) ([]Operation, Link, error) {
	wanted := make([]Link, 0, len(cfg.Interfaces))
	for i, name := range cfg.Interfaces {
		link, found := links.ByName(name)
		if !found {
			return nil, Link{}, notFound(fmt.Sprintf("interfaces[%d]", i), name)
		}
		if slices.ContainsFunc(wanted, func(other Link) bool { return other.Index == link.Index }) {
			return nil, Link{}, fmt.Errorf("interfaces[%d] is %q, which is another name of %s, and that is in the list: name each interface once", i, name, link.Name)
		}
		wanted = append(wanted, link)
	}
	existing, found := links.ByName(cfg.Bond.Name)
	if !found {
		return planNewBond(links, cfg, wanted)
	}
	return planExistingBond(links, cfg, existing, wanted)
}

func planNewBond(links Links, cfg *Config, wanted []Link) ([]Operation, Link, error) {
	// A member gets the bond's MTU, which is 1500 where nothing is said: none may lose its own.
	bond := Link{Name: cfg.Bond.Name, Kind: "bond", Up: true, MTU: wanted[0].MTU}
	for _, link := range wanted {
		bond.MTU = min(bond.MTU, link.MTU)
	}
	ops := []Operation{AddBond{Name: bond.Name, Mode: cfg.Bond.Mode, Options: cfg.Bond.Options, MTU: bond.MTU}}
	members, err := enslave(links, cfg, bond, wanted)
	if err != nil {
		return nil, Link{}, err
	}
	ops = append(append(ops, members...), SetUp{bond.Name})
	if active := cfg.Bond.Options[ActiveSlave]; active != "" {
		link, _ := links.ByName(active)
		ops = append(ops, Activate{Name: link.Name, Bond: bond.Name})
	}
	return ops, bond, nil
}

// planExistingBond takes a bond as it is if its properties are the desired ones. Members are added to one
// without any, which is half made, and to one of this plugin's, whose card was away.
func planExistingBond(links Links, cfg *Config, bond Link, wanted []Link) ([]Operation, Link, error) {
	members := links.members(bond)
	if err := bondDiffers(links, cfg, bond, wanted, members); err != nil {
		return nil, Link{}, err
	}
	var missing []Link
	for _, link := range wanted {
		if link.Master != bond.Index {
			missing = append(missing, link)
		}
	}
	ops, err := enslave(links, cfg, bond, missing)
	if err != nil {
		return nil, Link{}, err
	}
	if !bond.Up {
		ops = append(ops, SetUp{bond.Name})
	}
	return ops, bond, nil
}

func enslave(links Links, cfg *Config, bond Link, members []Link) ([]Operation, error) {
	ops := make([]Operation, 0, len(members))
	for _, link := range members {
		if err := refuse(links, cfg, link); err != nil {
			return nil, err
		}
		ops = append(ops, Enslave{Name: link.Name, Bond: bond.Name, WasUp: link.Up})
	}
	return ops, nil
}

// refuse keeps an interface that is in use out of a bond: a node whose own address is on it would be cut off.
func refuse(links Links, cfg *Config, link Link) error {
	switch {
	case link.Kind == "bond":
		return fmt.Errorf("%s is a bond itself: a bond cannot be in bond %s", link.Name, cfg.Bond.Name)
	case link.Master != 0:
		return fmt.Errorf("%s is in %s already, so it cannot be put into bond %s: take it out there (ip link set %s nomaster), or change the network",
			link.Name, links.nameOf(link.Master), cfg.Bond.Name, link.Name)
	case len(link.Addresses) > 0:
		return fmt.Errorf("%s has the address %s, so it is not put into bond %s, for the node would not be reached by it any more: "+
			"make the bond with the node's own configuration and give it the address, or change the network",
			link.Name, link.Addresses[0], cfg.Bond.Name)
	}
	return nil
}

// bondDiffers is the error of an interface of the desired name that is something else.
func bondDiffers(links Links, cfg *Config, bond Link, wanted, members []Link) error {
	if bond.Kind != "bond" {
		return differs(bond.Name, "of kind "+bond.Kind, "a bond")
	}
	if bond.BondMode != cfg.Bond.Mode {
		return differs(bond.Name, fmt.Sprintf("a bond of mode %d", bond.BondMode), fmt.Sprintf("mode %d", cfg.Bond.Mode))
	}
	for _, name := range cfg.Bond.Options.names() {
		is, want := bond.BondOptions[name], settled(links, bond, name, cfg.Bond.Options[name])
		// The kernel names the primary once it is in the bond; the active member changes with every failure.
		unknown := name == ActiveSlave || (name == Primary && len(members) == 0)
		if !unknown && is != want {
			return differs(bond.Name, fmt.Sprintf("a bond with %s=%s", name, is), fmt.Sprintf("%s=%s", name, want))
		}
	}
	further := slices.ContainsFunc(members, func(member Link) bool {
		return !slices.ContainsFunc(wanted, func(link Link) bool { return link.Index == member.Index })
	})
	if further || (len(members) < len(wanted) && len(members) > 0 && !bond.isOurs()) {
		return differs(bond.Name, "a bond of "+joined(members), "one of "+joined(wanted))
	}
	return nil
}

// settled is what a bond shows of an option that was set: of delays whole intervals of its monitor
// (bond_options.c), of an interface its name.
func settled(links Links, bond Link, option, value string) string {
	switch option {
	case Primary:
		link, _ := links.ByName(value)
		return link.Name
	case "updelay", "downdelay":
		delay, _ := strconv.Atoi(value)
		if interval, _ := strconv.Atoi(bond.BondOptions["miimon"]); interval > 0 {
			return strconv.Itoa(delay / interval * interval)
		}
	}
	return value
}

func joined(links []Link) string {
	names := make([]string, 0, len(links))
	for _, link := range links {
		names = append(names, link.Name)
	}
	return strings.Join(names, " and ")
}
