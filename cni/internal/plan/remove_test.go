package plan

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/containernetworking/cni/pkg/types"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

func TestDELDeletesOnlyTheVethOfTheContainerAndInterface(t *testing.T) {
	alias := Owner{container, "eth0", "net"}.Alias()
	for _, test := range []struct {
		name        string
		kind, alias string
		container   string
		ifName      string
		deleted     bool
	}{
		{"the owner's", "veth", alias, container, "eth0", true},
		{"another interface of the pod", "veth", alias, container, "net1", false},
		{"another container with the same short ID", "veth", alias, container[:11] + "x", "eth0", false},
		{"made by a process that died before it wrote the alias", "veth", "", container, "eth0", true},
		{"made so for another container with the same short ID", "veth", "", container[:11] + "x", "eth0", false},
		{"with somebody else's alias", "veth", "uplink to rack 7", container, "eth0", false},
		{"another kind of link", "bridge", "", container, "eth0", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			link := facts.Link{Name: HostVeth(container), Kind: test.kind, Alias: test.alias, MAC: HostMAC(container)}
			if got := len(DelHostLink(link, test.container, test.ifName)) > 0; got != test.deleted {
				t.Errorf("deleted: %t", got)
			}
		})
	}
}

func TestAliasRoundTripAndForeignAliases(t *testing.T) {
	long := Owner{container, "eth0", string(slices.Repeat([]byte("n"), 253))}
	for _, owner := range []Owner{{container, "eth0", "net"}, long} {
		alias := owner.Alias()
		parsed, ok := ParseAlias(alias)
		if !ok || parsed.ContainerID != owner.ContainerID || parsed.IfName != owner.IfName || len(alias) > 255 {
			t.Errorf("%q gives %+v", alias, parsed)
		}
	}
	if long.Alias() == (Owner{container, "eth0", string(slices.Repeat([]byte("n"), 252))}).Alias() {
		t.Error("two networks with long names share an alias")
	}
	for _, foreign := range []string{"", "uplink", "spidercoordinator", "a b c d"} {
		if _, ok := ParseAlias(foreign); ok {
			t.Errorf("%q is taken for one of ours", foreign)
		}
	}
}

func TestDELRemovesOnlyTheNodesEntriesOfTheInterface(t *testing.T) {
	podIP, otherIP := netip.MustParseAddr("10.6.1.5"), netip.MustParseAddr("10.6.1.6")
	pod := facts.NetnsState{Links: []facts.Link{{Index: 2, Peer: 77, Name: "eth0", Kind: "veth"}}}
	leg := facts.Link{Index: 77, Peer: 2, Name: "leg", Kind: "veth"}
	ours, others := RouteMetric(container, "net1"), RouteMetric("another", "net1")
	for _, test := range []struct {
		name            string
		addr            netip.Addr
		dev             string
		metric, proto   int
		without, inside bool // deleted without the pod's netns, and with it
	}{
		{"marked, by the container's link", podIP, "leg", ours, facts.Proto, true, true},
		{"marked, of an address that is not known any more", otherIP, "leg", ours, facts.Proto, true, true},
		{"not marked, by the container's link", podIP, "leg", 0, facts.Proto, false, true},
		{"another pod's with the same address", podIP, "cali2", others, facts.Proto, false, false},
		{"another pod's by a link of its own", podIP, "veth2", 0, facts.Proto, false, false},
		{"another interface's of the container", otherIP, "leg", RouteMetric(container, "net2"), facts.Proto, false, false},
		{"another program's", podIP, "leg", 0, 3, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			observed := &facts.Facts{Host: facts.NetnsState{
				Links:  []facts.Link{leg},
				Routes: []facts.Route{{Dst: netip.PrefixFrom(test.addr, 32), Dev: test.dev, Table: 500, Metric: test.metric, Proto: test.proto}},
				Neighs: []facts.Neigh{{Dev: test.dev, IP: test.addr, Permanent: true}, {Dev: "eth0", IP: test.addr, Permanent: true}},
			}}
			removal := Removal{ContainerID: container, IfName: "net1", First: "eth0", Addresses: []netip.Addr{podIP}}
			for _, state := range []struct {
				pod  facts.NetnsState
				want bool
			}{{facts.NetnsState{}, test.without}, {pod, test.inside}} {
				observed.Pod = state.pod
				deleted := describe(removal.DelHostEntries(observed))
				if strings.Contains(deleted, "delete route") != state.want || strings.Contains(deleted, "dev eth0") {
					t.Errorf("netns known: %t: got %q", len(state.pod.Links) > 0, deleted)
				}
			}
		})
	}
}

func TestTheNetnsIsTheContainersByItsLinkOrItsHardwareAddress(t *testing.T) {
	pod := &facts.NetnsState{Links: []facts.Link{
		{Index: 2, Peer: 77, Name: "veth0", Kind: "veth"}, {Index: 3, Name: "net1", MAC: "02:00:00:00:00:03"},
	}}
	host := func(alias string) *facts.NetnsState {
		return &facts.NetnsState{Links: []facts.Link{{Index: 77, Peer: 2, Name: HostVeth(container), Kind: "veth", Alias: alias}}}
	}
	for _, test := range []struct {
		name, alias, mac string
		want             bool
	}{
		{"its host veth's peer is inside", Owner{container, "eth0", "net"}.Alias(), "", true},
		{"another container's host veth's peer is inside", Owner{container[:11] + "x", "eth0", "net"}.Alias(), "", false},
		{"the interface of prevResult is inside", "somebody's", "02:00:00:00:00:03", true},
		{"another interface of the same name is inside", "somebody's", "02:00:00:00:00:04", false},
		{"nothing is known", "somebody's", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			removal := Removal{ContainerID: container, IfName: "net1", First: "eth0", MAC: test.mac}
			if got := removal.OwnsNetns(pod, host(test.alias)); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestGCDeletesVethsOfAttachmentsThatAreNotValid(t *testing.T) {
	link := func(name, containerID, network string) facts.Link {
		return facts.Link{Name: name, Kind: "veth", Alias: Owner{containerID, "eth0", network}.Alias()}
	}
	links := []facts.Link{
		link("living", "a", "net"), link("gone", "b", "net"), link("elsewhere", "c", "another"),
		{Name: "plain", Kind: "veth"}, {Name: "bridge", Kind: "bridge", Alias: Owner{"d", "eth0", "net"}.Alias()},
	}
	ops := Collect(links, "net", []types.GCAttachment{{ContainerID: "a", IfName: "eth0"}})
	if len(ops) != 1 || ops[0].Do != Action(DropLink{facts.Host, "gone"}) {
		t.Errorf("got %v", describe(ops))
	}
}

func TestDELOfAnInterfaceInThePod(t *testing.T) {
	eth0, net1 := nic{name: "eth0", net: 6, v4: true, defaults: true}, nic{name: "net1", net: 7, v4: true, defaults: true}
	for _, test := range []struct {
		name  string
		moved nic // the interface whose default route is in its own table
		want  []string
	}{
		{"its rule and table are deleted", net1, []string{
			"delete route default via 10.7.0.1 dev net1 table 5007 of the pod",
			"delete IPv4 rule pref 32765 from 10.7.1.3/32 lookup 5007 of the pod",
		}},
		{"the default route of another interface returns to the main table", eth0, []string{
			"add route default via 10.6.0.1 dev eth0 table main to the pod",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := podFixture(eth0, net1)
			movedDefault(f, test.moved)
			if got, want := describe(Removal{IfName: "net1"}.DelPod(&f.Pod)), strings.Join(test.want, "\n"); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestTheHardwareAddressAloneIsNoProofOfTheNetns(t *testing.T) {
	const mac = "02:00:00:00:00:03" // of each ipvlan interface of a node, or made of the address
	ip, other := netip.MustParseAddr("10.7.1.5"), netip.MustParseAddr("10.7.1.6")
	for _, test := range []struct {
		name     string
		had, has netip.Addr // the interface's address in prevResult, and in the netns
		alias    string     // of the node's end of veth0
		metric   int        // of the node's route to the address; 0: by veth0
		want     bool
	}{
		{"nothing speaks against it", ip, ip, "", 0, true},
		{"its link was renamed by somebody", ip, ip, "somebody's", 0, true},
		{"another address", ip, other, "", 0, false},
		{"veth0 of another container", ip, ip, Owner{"another", "eth0", "net"}.Alias(), 0, false},
		{"an overlay pod's, with its route", ip, ip, "", RouteMetric(container, "net1"), true},
		{"another overlay pod's, with that one's route", ip, ip, "", RouteMetric("another", "net1"), false},
		{"its route, and another address by now", ip, other, "", RouteMetric(container, "net1"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			pod := &facts.NetnsState{
				Links: []facts.Link{{Index: 2, Peer: 77, Name: "veth0", Kind: "veth"}, {Index: 3, Name: "net1", MAC: mac}},
				Addrs: []facts.Addr{{Dev: "net1", Prefix: netip.PrefixFrom(test.has, 16)}},
			}
			host := &facts.NetnsState{
				Links:  []facts.Link{{Index: 77, Peer: 2, Name: "leg", Kind: "veth", Alias: test.alias}, {Index: 78, Name: "cni0", Kind: "bridge"}},
				Routes: []facts.Route{{Dst: netip.PrefixFrom(ip, 32), Dev: "cni0", Table: 500, Metric: test.metric, Proto: facts.Proto}},
			}
			removal := Removal{ContainerID: container, IfName: "net1", First: "eth0", Addresses: []netip.Addr{test.had}, MAC: mac}
			if got := removal.OwnsNetns(pod, host); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
