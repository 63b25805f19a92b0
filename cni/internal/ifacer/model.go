package ifacer

import (
	"net/netip"
	"slices"
)

// Alias is the alias of every link that the plugin makes, by which it and administrators know them.
const Alias = "spidercoordinator ifacer"

// Link is an observed link of the node.
type Link struct {
	Name     string
	AltNames []string
	Index    int
	Kind     string // the kernel's: vlan, bond, veth; device for hardware
	Up       bool
	MTU      int
	Alias    string
	Master   int // index of the bond or bridge that it is in, 0 for none
	// Parent is the index of the link that it is made on. With ParentElsewhere that index is one of
	// another network namespace.
	Parent          int
	ParentElsewhere bool
	VLAN            int    // of a link of kind vlan
	VLANProtocol    string // 802.1q or 802.1ad
	BondMode        int    // of a link of kind bond
	BondOptions     Options
	// Addresses are its addresses but the link-local ones.
	Addresses []netip.Prefix
}

// Links are the links of the node.
type Links []Link

// ByName finds a link by its name or by an alternative name.
func (l Links) ByName(name string) (Link, bool) {
	for _, link := range l {
		if link.Name == name {
			return link, true
		}
	}
	for _, link := range l {
		if slices.Contains(link.AltNames, name) {
			return link, true
		}
	}
	return Link{}, false
}

func (l Links) byIndex(index int) (Link, bool) {
	for _, link := range l {
		if link.Index == index {
			return link, true
		}
	}
	return Link{}, false
}

// nameOf names a link for messages.
func (l Links) nameOf(index int) string {
	if link, ok := l.byIndex(index); ok {
		return link.Name
	}
	return "an interface of another network namespace"
}

// members are the links in a bond, in the order of their indexes.
func (l Links) members(bond Link) []Link {
	var members []Link
	for _, link := range l {
		if link.Master == bond.Index {
			members = append(members, link)
		}
	}
	return members
}

func (l Link) isOurs() bool { return l.Alias == Alias }
