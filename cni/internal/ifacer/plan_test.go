package ifacer

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// node has two free cards, an uplink, and what the test adds.
func node(further ...Link) Links {
	links := Links{
		{Name: "lo", Index: 1, Kind: "device", Up: true, MTU: 65536},
		{Name: "eth0", AltNames: []string{"enp1s0"}, Index: 2, Kind: "device", Up: true, MTU: 1500, Addresses: []netip.Prefix{netip.MustParsePrefix("10.6.0.10/16")}},
		{Name: "eth1", Index: 3, Kind: "device", Up: true, MTU: 9000},
		{Name: "eth2", Index: 4, Kind: "device", MTU: 8000},
	}
	return append(links, further...)
}

func vlanOf(name string, id, parent int) Link {
	return Link{Name: name, Index: 20, Kind: "vlan", Up: true, MTU: 1500, VLAN: id, VLANProtocol: "802.1q", Parent: parent}
}

func bondOf(alias string, members ...int) Links {
	links := node(Link{Name: "bond0", Index: 10, Kind: "bond", Up: true, MTU: 8000, Alias: alias, BondMode: 1, BondOptions: Options{"miimon": "100", "updelay": "200", "primary": "eth1"}})
	for _, index := range members {
		for i := range links {
			if links[i].Index == index {
				links[i].Master, links[i].Up = 10, true
			}
		}
	}
	return links
}

func change(link Link, edit func(*Link)) Link {
	edit(&link)
	return link
}

var (
	vlan120 = &Config{Interfaces: []string{"eth0"}, VLAN: 120}
	bonded  = &Config{Interfaces: []string{"eth1", "eth2"}, Bond: &Bond{Name: "bond0", Mode: 1, Options: Options{"miimon": "100", "updelay": "250", "primary": "eth1"}}}
	onBond  = &Config{Interfaces: bonded.Interfaces, Bond: bonded.Bond, VLAN: 120}
)

func TestOperations(t *testing.T) {
	for _, test := range []struct {
		name  string
		links Links
		cfg   *Config
		want  string
	}{
		{"no VLAN", node(), &Config{Interfaces: []string{"eth0"}}, ""},
		{"a VLAN", node(), vlan120, "add interface eth0.120 with VLAN 120 on eth0"},
		{"a VLAN on an alternative name", node(), &Config{Interfaces: []string{"enp1s0"}, VLAN: 7}, "add interface enp1s0.7 with VLAN 7 on eth0"},
		{"a VLAN on what is down", node(), &Config{Interfaces: []string{"eth2"}, VLAN: 7}, "set eth2 up; add interface eth2.7 with VLAN 7 on eth2"},
		{"the VLAN of another parent", node(vlanOf("eth1.120", 120, 3)), vlan120, "add interface eth0.120 with VLAN 120 on eth0"},
		{"the same number in an outer tag", node(change(vlanOf("svc", 120, 2), func(l *Link) { l.VLANProtocol = "802.1ad" })), vlan120,
			"add interface eth0.120 with VLAN 120 on eth0"},
		{"it is there", node(vlanOf("eth0.120", 120, 2)), vlan120, ""},
		{"it is there, and down", node(change(vlanOf("eth0.120", 120, 2), func(l *Link) { l.Up = false })), vlan120, "set eth0.120 up"},
		{"ours with a smaller MTU", node(change(vlanOf("eth0.120", 120, 2), func(l *Link) { l.MTU, l.Alias = 1400, Alias })), vlan120, "set the MTU of eth0.120 to 1500"},
		{"another's with a smaller MTU", node(change(vlanOf("eth0.120", 120, 2), func(l *Link) { l.MTU = 1400 })), vlan120, ""},
		{"a bond", node(), bonded, "add bond bond0 with mode 1 and MTU 8000; put eth1 into bond bond0; put eth2 into bond bond0; set bond0 up"},
		{"a VLAN on a bond", node(), onBond, "add bond bond0 with mode 1 and MTU 8000; put eth1 into bond bond0; put eth2 into bond bond0; set bond0 up; " +
			"add interface bond0.120 with VLAN 120 on bond0"},
		{"an active member", node(), &Config{Interfaces: bonded.Interfaces, Bond: &Bond{Name: "b", Mode: 1, Options: Options{ActiveSlave: "eth2"}}},
			"add bond b with mode 1 and MTU 8000; put eth1 into bond b; put eth2 into bond b; set b up; make eth2 active in bond b"},
		{"the bond is there", bondOf("", 3, 4), bonded, ""},
		{"a VLAN on the bond that is there", bondOf("", 3, 4), onBond, "add interface bond0.120 with VLAN 120 on bond0"},
		{"both are there", append(bondOf("", 3, 4), vlanOf("bond0.120", 120, 10)), onBond, ""},
		{"a bond without members", bondOf(""), bonded, "put eth1 into bond bond0; put eth2 into bond bond0"},
		{"ours without one of its members", bondOf(Alias, 3), bonded, "put eth2 into bond bond0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ops, err := Plan(test.links, test.cfg)
			if err != nil {
				t.Fatal(err)
			}
			texts := make([]string, 0, len(ops))
			for _, op := range ops {
				texts = append(texts, op.String())
			}
			if got := strings.Join(texts, "; "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestWhatIsThereAlreadyIsNotChanged(t *testing.T) {
	with := func(options Options) *Config {
		return &Config{Interfaces: bonded.Interfaces, Bond: &Bond{Name: "bond0", Mode: 1, Options: options}}
	}
	for _, test := range []struct {
		name  string
		links Links
		cfg   *Config
		want  []string
	}{
		{"no such interface", node(), &Config{Interfaces: []string{"eth9"}, VLAN: 1}, []string{`interfaces[0] is "eth9"`, "no such interface"}},
		{"no such interface, without VLAN", node(), &Config{Interfaces: []string{"eth9"}}, []string{`interfaces[0] is "eth9"`}},
		{"no such member", node(), &Config{Interfaces: []string{"eth1", "eth9"}, Bond: bonded.Bond}, []string{`interfaces[1] is "eth9"`}},
		{"a member twice by its names", node(), &Config{Interfaces: []string{"eth0", "enp1s0"}, Bond: &Bond{Name: "b"}}, []string{`"enp1s0"`, "another name of eth0"}},
		{"another kind", node(Link{Name: "eth0.120", Index: 20, Kind: "macvlan", Parent: 2}), vlan120, []string{"eth0.120", "of kind macvlan", "VLAN 120 (802.1q) on eth0"}},
		{"another number", node(vlanOf("eth0.120", 121, 2)), vlan120, []string{"VLAN 121 (802.1q) on eth0", "VLAN 120 (802.1q) on eth0"}},
		{"another parent", node(vlanOf("eth0.120", 120, 3)), vlan120, []string{"VLAN 120 (802.1q) on eth1", "VLAN 120 (802.1q) on eth0"}},
		{"another protocol", node(change(vlanOf("eth0.120", 120, 2), func(l *Link) { l.VLANProtocol = "802.1ad" })), vlan120,
			[]string{"VLAN 120 (802.1ad) on eth0", "VLAN 120 (802.1q) on eth0"}},
		{"a parent elsewhere", node(change(vlanOf("eth0.120", 120, 2), func(l *Link) { l.ParentElsewhere = true })), vlan120, []string{"another network namespace"}},
		{"the VLAN by another name", node(vlanOf("storage", 120, 2)), vlan120, []string{"VLAN 120 of eth0 is interface storage already", "eth0.120"}},
		{"a bond's VLAN on another parent", append(bondOf("", 3, 4), vlanOf("bond0.120", 120, 2)), onBond, []string{"VLAN 120 (802.1q) on eth0", "VLAN 120 (802.1q) on bond0"}},
		{"no bond", node(Link{Name: "bond0", Index: 10, Kind: "bridge"}), bonded, []string{"of kind bridge", "a bond"}},
		{"another mode", bondOf("", 3, 4), &Config{Interfaces: bonded.Interfaces, Bond: &Bond{Name: "bond0", Mode: 4}}, []string{"a bond of mode 1", "mode 4"}},
		{"another option", bondOf("", 3, 4), with(Options{"miimon": "50"}), []string{"miimon=100", "miimon=50"}},
		{"another delay", bondOf("", 3, 4), with(Options{"updelay": "300"}), []string{"updelay=200", "updelay=300"}},
		{"another primary", bondOf("", 3, 4), with(Options{Primary: "eth2"}), []string{"primary=eth1", "primary=eth2"}},
		{"further members", append(bondOf(Alias, 3, 4), Link{Name: "eth3", Index: 5, Master: 10}), bonded, []string{"eth1 and eth2 and eth3", "eth1 and eth2"}},
		{"another's with a member less", bondOf("", 3), bonded, []string{"a bond of eth1", "eth1 and eth2"}},
		{"a member of another", Links{{Name: "eth1", Index: 3, Master: 11}, {Name: "eth2", Index: 4}, {Name: "br0", Index: 11, Kind: "bridge"}}, bonded, []string{"eth1 is in br0 already"}},
		{"a member with the node's address", node(), &Config{Interfaces: []string{"eth0", "eth1"}, Bond: &Bond{Name: "b"}}, []string{"eth0 has the address 10.6.0.10/16"}},
		{"a bond in a bond", append(bondOf("", 3), Link{}), &Config{Interfaces: []string{"bond0", "eth2"}, Bond: &Bond{Name: "b"}}, []string{"bond0 is a bond itself"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			ops, err := Plan(test.links, test.cfg)
			if err == nil {
				t.Fatalf("no error, but %v", ops)
			}
			for _, word := range test.want {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
		})
	}
}

// TestAfterTheOperationsNothingIsMissing carries operations out on the model.
func TestAfterTheOperationsNothingIsMissing(t *testing.T) {
	for mode := range maxMode + 1 {
		for _, vlan := range []int{0, 1, maxVLAN} {
			t.Run(fmt.Sprint(mode, vlan), func(t *testing.T) {
				cfg := &Config{Interfaces: []string{"eth1", "eth2"}, VLAN: vlan, Bond: &Bond{Name: "bond0", Mode: mode, Options: Options{"miimon": "100"}}}
				links := node()
				ops, err := Plan(links, cfg)
				if err != nil || len(ops) == 0 {
					t.Fatal(ops, err)
				}
				for _, op := range ops {
					links = after(links, op)
				}
				if ops, err := Plan(links, cfg); err != nil || len(ops) > 0 {
					t.Errorf("left: %v %v", ops, err)
				}
			})
		}
	}
}

func after(links Links, op Operation) Links {
	index := len(links) + 10
	at := func(name string) *Link {
		for i := range links {
			if links[i].Name == name {
				return &links[i]
			}
		}
		panic("no link " + name)
	}
	switch op := op.(type) {
	case SetUp:
		at(op.Name).Up = true
	case AddVLAN:
		parent := at(op.Parent)
		return append(links, Link{Name: op.Name, Index: index, Kind: "vlan", Up: true, MTU: parent.MTU, Alias: Alias, Parent: parent.Index, VLAN: op.ID, VLANProtocol: "802.1q"})
	case AddBond:
		return append(links, Link{Name: op.Name, Index: index, Kind: "bond", MTU: op.MTU, Alias: Alias, BondMode: op.Mode, BondOptions: op.Options})
	case Enslave:
		at(op.Name).Master = at(op.Bond).Index
	}
	return links
}
