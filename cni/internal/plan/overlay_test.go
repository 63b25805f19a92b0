package plan

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// beside makes a pod with net1 beside a cluster network's eth0, whose routes of the main table are these.
func beside(routes ...facts.Route) *facts.Facts {
	f := podFixture(nic{name: "eth0", net: 9, v4: true}, nic{name: "net1", net: 7, v4: true, defaults: true})
	clusterNetwork(f)
	for _, route := range routes {
		route.Dev, route.Table, route.Proto = "eth0", facts.TableMain, 3
		f.Pod.Routes = append(f.Pod.Routes, route)
	}
	return f
}

func to(dst, gateway string) facts.Route {
	route := facts.Route{Dst: netip.MustParsePrefix(dst)}
	if gateway != "" {
		route.Gw = netip.MustParseAddr(gateway)
	}
	return route
}

func TestTheWayToTheNodeIsTheOneThatEth0Has(t *testing.T) {
	const node, services = "10.6.0.10/32", "10.233.0.0/18"
	for _, test := range []struct {
		name   string
		routes []facts.Route
		dst    string
		want   string // the beginning of the added route, empty: none is added to the main table
	}{
		{"default route", []facts.Route{to("0.0.0.0/0", "10.9.0.1")}, services, "via 10.9.0.1 dev eth0"},
		{"default route, the node", []facts.Route{to("0.0.0.0/0", "10.9.0.1")}, node, "via 10.9.0.1 dev eth0"},
		{"default route without router", []facts.Route{to("0.0.0.0/0", "")}, services, "dev eth0"},
		{"a more specific route", []facts.Route{to("0.0.0.0/0", "10.9.0.1"), to("10.128.0.0/9", "10.9.0.2")}, services, "via 10.9.0.2 dev eth0"},
		{"the same route", []facts.Route{to("0.0.0.0/0", "10.9.0.1"), to(services, "10.9.0.2")}, services, ""},
		{"the same route to the node", []facts.Route{to("0.0.0.0/0", "10.9.0.1"), to(node, "")}, node, ""},
		{"the node in its subnet", []facts.Route{to("0.0.0.0/0", "10.9.0.1"), to("10.6.0.0/24", "")}, node, "dev eth0"},
		{"services in its subnet", []facts.Route{to("0.0.0.0/0", "10.9.0.1"), to("10.232.0.0/15", "")}, services, "via 10.9.0.1 dev eth0"},
		{"Multus deleted the default route", []facts.Route{to("10.233.64.0/18", "10.9.0.1")}, services, "via 10.9.0.1 dev eth0"},
		{"none", nil, services, "via 10.6.0.10 dev eth0"},
		{"none, the node", nil, node, "dev eth0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			plan, err := Add(beside(test.routes...), request("net1"))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, op := range plan.Ops {
				put, ok := op.Do.(PutRoute)
				if ok && put.Side == facts.Pod && put.Route.Table == facts.TableMain && put.Route.Dst == netip.MustParsePrefix(test.dst) {
					got = strings.TrimSpace(strings.Split(describeRoute(put.Route), test.dst)[1])
				}
			}
			if (test.want == "") != (got == "") || !strings.HasPrefix(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestTheWayToThePodIsTheDeviceThatTheNodeUses(t *testing.T) {
	routed := func(gateway string) func(*facts.Facts) {
		return func(f *facts.Facts) {
			onBridge(f)
			route := f.ToFirst[facts.V4]
			route.Gw = netip.MustParseAddr(gateway)
			f.ToFirst[facts.V4] = route
		}
	}
	internalPort := func(f *facts.Facts) {
		onBridge(f)
		f.Pod.Links[1].Peer, f.Pod.Links[1].Kind = 0, kindSwitch
		f.Host.Links[len(f.Host.Links)-1].Kind = kindSwitch
	}
	lost := func(f *facts.Facts) {
		internalPort(f)
		f.ToFirst = map[facts.Family]facts.Route{}
	}
	for _, test := range []struct {
		name    string
		network func(*facts.Facts)
		dev     string
		neighs  string // devices with a neighbour entry
	}{
		{"the peer", func(*facts.Facts) {}, "cali123", "cali123"},
		{"netkit", onNetkit, "cali123", ""},
		{"a bridge", onBridge, "cni0", "cali123"},
		{"a router behind a switch", routed("10.9.0.1"), "cali123", "cali123"},
		{"an internal port of a switch", internalPort, "cni0", ""},
		{"no way", lost, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := beside(to("0.0.0.0/0", "10.9.0.1"))
			test.network(f)
			plan, err := Add(f, request("net1"))
			if err != nil {
				if test.dev != "" {
					t.Fatal(err)
				}
				return
			}
			dev, neighs := "", []string{}
			for _, op := range plan.Ops {
				switch do := op.Do.(type) {
				case PutRoute:
					if do.Side == facts.Host {
						dev = do.Route.Dev
					}
				case PutNeigh:
					if do.Side == facts.Host {
						neighs = append(neighs, do.Neigh.Dev)
					} else {
						t.Errorf("the pod gets a neighbour entry: %s", do)
					}
				}
			}
			if dev != test.dev || strings.Join(neighs, " ") != test.neighs {
				t.Errorf("got device %q and neighbours %q", dev, neighs)
			}
		})
	}
}

func TestAnAddressOfAnotherPodOfTheSameBridgeIsRefusedWhileThatPodIsThere(t *testing.T) {
	for _, living := range []bool{true, false} {
		f := beside(to("0.0.0.0/0", "10.9.0.1"))
		onBridge(f)
		ip := netip.MustParseAddr("10.7.1.3")
		f.Host.Routes = []facts.Route{{ // what the other one's ADD left
			Dst: netip.PrefixFrom(ip, 32), Dev: "cni0", Table: 500, Metric: RouteMetric("another", "net1"), Proto: facts.Proto,
		}}
		if living {
			f.Host.Links = append(f.Host.Links, facts.Link{Index: 78, Peer: 2, Name: "vethother", Kind: "veth", Master: 60, PeerElsewhere: true})
			f.Host.Neighs = []facts.Neigh{{Dev: "vethother", IP: ip, MAC: "02:00:00:00:00:99", Permanent: true}}
		}
		plan, err := Add(f, request("net1"))
		if living {
			if err == nil || !strings.Contains(err.Error(), "vethother") {
				t.Errorf("got error %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if text := describe(plan.Ops); strings.Count(text, "delete route 10.7.1.3/32 dev cni0") != 1 {
			t.Errorf("what a pod left that is gone stays:\n%s", text)
		}
	}
}

func TestDELOnABridgeRemovesOnlyWhatIsMarkedAsTheContainers(t *testing.T) {
	ip, other := netip.MustParseAddr("10.7.1.3"), netip.MustParseAddr("10.7.1.4")
	pod := facts.NetnsState{Links: []facts.Link{{Index: 2, Peer: 77, Name: "eth0", Kind: "veth"}}}
	route := func(ip netip.Addr, container string) facts.Route {
		return facts.Route{Dst: netip.PrefixFrom(ip, 32), Dev: "cni0", Table: 500, Metric: RouteMetric(container, "net1"), Proto: facts.Proto}
	}
	for _, test := range []struct {
		name   string
		routes []facts.Route
		want   []string
	}{
		{"its own", []facts.Route{route(ip, container), route(other, "another")}, []string{"route 10.7.1.3/32", "neighbour 10.7.1.3 dev cali123"}},
		{"the address was given to another pod", []facts.Route{route(ip, "another"), route(other, container)}, []string{"route 10.7.1.4/32", "neighbour 10.7.1.3 dev cali123"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			observed := &facts.Facts{Pod: pod, Host: facts.NetnsState{
				Links: []facts.Link{
					{Index: 77, Peer: 2, Name: "cali123", Kind: "veth", Master: 60}, {Index: 60, Name: "cni0", Kind: "bridge"},
				},
				Routes: test.routes,
				Neighs: []facts.Neigh{
					{Dev: "cni0", IP: ip, Permanent: true}, {Dev: "cali123", IP: ip, Permanent: true},
				},
			}}
			removal := Removal{ContainerID: container, IfName: "net1", First: "eth0", Addresses: []netip.Addr{ip}}
			ops := removal.DelHostEntries(observed)
			text := describe(ops)
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("%q is missing in\n%s", want, text)
				}
			}
			if len(ops) != len(test.want) {
				t.Errorf("got\n%s", text)
			}
		})
	}
}
