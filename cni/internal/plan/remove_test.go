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
		{"with somebody else's alias", "veth", "uplink to rack 7", container, "eth0", false},
		{"another kind of link", "bridge", "", container, "eth0", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			link := facts.Link{Name: HostVeth(container), Kind: test.kind, Alias: test.alias}
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

func TestDELRemovesOnlyTheNodesEntriesOfThePodsAddresses(t *testing.T) {
	podIP, otherIP := netip.MustParseAddr("10.6.1.5"), netip.MustParseAddr("10.6.1.6")
	route := func(ip netip.Addr, proto int) facts.Route {
		return facts.Route{Dst: netip.PrefixFrom(ip, 32), Dev: "cali1", Table: 500, Proto: proto}
	}
	host := &facts.NetnsState{
		Routes: []facts.Route{route(podIP, facts.Proto), route(otherIP, facts.Proto), route(podIP, 3)},
		Neighs: []facts.Neigh{
			{Dev: "cali1", IP: podIP, Permanent: true}, {Dev: "cali1", IP: otherIP, Permanent: true}, {Dev: "eth0", IP: podIP, Permanent: true},
		},
	}
	want := []Action{DropRoute{facts.Host, host.Routes[0]}, DropNeigh{facts.Host, host.Neighs[0]}}
	var got []Action
	for _, op := range DelHostEntries(host, []netip.Addr{podIP}) {
		got = append(got, op.Do)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
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
			"delete IPv4 rule pref 32765 from 10.7.1.3/32 lookup 5007 of the pod",
			"delete route default via 10.7.0.1 dev net1 table 5007 of the pod",
		}},
		{"the default route of another interface returns to the main table", eth0, []string{
			"add route default via 10.6.0.1 dev eth0 table main to the pod",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := podFixture(eth0, net1)
			movedDefault(f, test.moved)
			if got, want := describe(DelPod(&f.Pod, "net1")), strings.Join(test.want, "\n"); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}
