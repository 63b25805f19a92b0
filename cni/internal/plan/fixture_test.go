package plan

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/config"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

const (
	container  = "0123456789abcdef0123456789abcdef"
	podVethMAC = "02:00:00:00:00:aa"
	movedTable = FirstTable + 7
)

var hostVethMAC = HostMAC(container)

// nic is an interface of a pod.
type nic struct {
	name     string
	net      int // its subnets are 10.NET.0.0/16 and fd00:10:NET::/64
	v4, v6   bool
	defaults bool // its network gives it default routes
	learned  bool // the IPv6 default route comes from router advertisements
}

// podFixture makes the facts of a pod with interfaces, on a node with both families.
func podFixture(nics ...nic) *facts.Facts {
	f := &facts.Facts{Sources: map[facts.Family]netip.Addr{
		facts.V4: netip.MustParseAddr("10.6.0.10"), facts.V6: netip.MustParseAddr("fd00:10:6::10"),
	}}
	f.Host.Sysctls, f.Pod.Sysctls = map[string]string{}, map[string]string{}
	f.Pod.Marks = map[facts.Family]facts.MarkState{}
	f.Host.Links = []facts.Link{{Index: 2, Name: "eth0", Kind: "device", MTU: 1500, Up: true}}
	for _, text := range []string{"10.6.0.10/16", "192.168.9.1/24", "fd00:10:6::10/64", "fe80::9/64"} {
		f.Host.Addrs = append(f.Host.Addrs, facts.Addr{Dev: "eth0", Prefix: netip.MustParsePrefix(text)})
	}
	f.Pod.Links = []facts.Link{{Index: 1, Name: "lo", Kind: "device", MTU: 65536, Up: true}}
	for _, dev := range []string{"all", "default"} {
		f.Pod.Sysctls[facts.RPFilter(dev)] = "1"
	}
	for number, n := range nics {
		attach(f, n, number+2)
	}
	return f
}

// attach adds an interface as its main plugin leaves it.
func attach(f *facts.Facts, n nic, index int) {
	f.Pod.Links = append(f.Pod.Links, facts.Link{
		Index: index, Name: n.name, Kind: "macvlan", MTU: 1500, TxQLen: 1000, Up: true, Carrier: true,
		MAC: fmt.Sprintf("02:00:00:00:00:%02x", index),
	})
	f.Pod.Sysctls[facts.RPFilter(n.name)] = "1"
	f.Pod.Sysctls[facts.SysctlV6(n.name, "accept_ra_defrtr")] = "1"
	if n.v4 {
		address(f, n, fmt.Sprintf("10.%d.1.%d/16", n.net, index), fmt.Sprintf("10.%d.0.1", n.net), 0)
	}
	if n.v6 {
		address(f, n, fmt.Sprintf("fd00:10:%d::1:%d/64", n.net, index), fmt.Sprintf("fd00:10:%d::1", n.net), facts.MetricIPv6)
	}
}

func address(f *facts.Facts, n nic, prefix, gateway string, metric int) {
	podAddr := netip.MustParsePrefix(prefix)
	f.Pod.Addrs = append(f.Pod.Addrs, facts.Addr{Dev: n.name, Prefix: podAddr})
	direct := facts.Route{Dst: podAddr.Masked(), Dev: n.name, Table: facts.TableMain, Proto: facts.ProtoKernel, Metric: metric / 4}
	if metric == 0 {
		direct.Src, direct.Scope = podAddr.Addr(), facts.ScopeLink
	}
	f.Pod.Routes = append(f.Pod.Routes, direct)
	if !n.defaults {
		return
	}
	route := facts.Route{
		Dst: defaultDst(facts.FamilyOf(podAddr.Addr())), Gw: netip.MustParseAddr(gateway), Dev: n.name, Table: facts.TableMain, Metric: metric,
	}
	if n.learned && metric != 0 {
		route.Proto = facts.ProtoRA
	}
	f.Pod.Routes = append(f.Pod.Routes, route)
}

// clusterNetwork makes the first interface one of an overlay network: a veth with a peer on the node.
func clusterNetwork(f *facts.Facts) {
	f.Pod.Links[1].Kind, f.Pod.Links[1].Peer = "veth", 77
	f.Host.Links = append(f.Host.Links, facts.Link{
		Index: 77, Peer: 2, Name: "cali123", Kind: "veth", MAC: "ee:ee:ee:ee:ee:ee", MTU: 1450, Up: true,
	})
}

// onBridge makes the first interface's peer a port of a bridge, by which the node reaches the pod.
func onBridge(f *facts.Facts) {
	f.Host.Links[len(f.Host.Links)-1].Master = 60
	f.Host.Links = append(f.Host.Links, facts.Link{Index: 60, Name: "cni0", Kind: "bridge", MAC: "02:00:00:00:00:60", MTU: 1450, Up: true})
	f.ToFirst = map[facts.Family]facts.Route{}
	for _, addr := range f.Pod.Addrs {
		if ip := addr.Prefix.Addr(); addr.Dev == "eth0" {
			f.ToFirst[facts.FamilyOf(ip)] = facts.Route{Dst: netip.PrefixFrom(ip, ip.BitLen()), Dev: "cni0"}
			f.Host.Routes = append(f.Host.Routes, facts.Route{
				Dst: addr.Prefix.Masked(), Dev: "cni0", Table: facts.TableMain, Proto: facts.ProtoKernel,
			})
		}
	}
}

// onNetkit makes the first interface a netkit pair, whose ends have no hardware addresses.
func onNetkit(f *facts.Facts) {
	peer := len(f.Host.Links) - 1
	f.Pod.Links[1].Kind, f.Host.Links[peer].Kind = "netkit", "netkit"
	f.Pod.Links[1].MAC, f.Host.Links[peer].MAC = "", ""
}

// hostVeth adds the veth pair, as the ADD of the first interface does.
func hostVeth(f *facts.Facts) {
	f.Pod.Links = append(f.Pod.Links, facts.Link{
		Index: 90, Peer: 91, Name: facts.PodVeth, Kind: "veth", MAC: podVethMAC, MTU: 1500, TxQLen: 1000, Up: true,
	})
	f.Host.Links = append(f.Host.Links, facts.Link{
		Index: 91, Peer: 90, Name: HostVeth(container), Kind: "veth", MAC: hostVethMAC, MTU: 1500, TxQLen: 1000, Up: true,
		Alias: Owner{container, "eth0", "net"}.Alias(),
	})
}

// movedDefault moves an interface's default routes into its table, as the ADD of another interface does.
func movedDefault(f *facts.Facts, n nic) {
	for i := range f.Pod.Routes {
		if route := &f.Pod.Routes[i]; route.Dev == n.name && route.IsDefault() {
			route.Table = movedTable
		}
	}
	for _, addr := range f.Pod.Addrs {
		if ip := addr.Prefix.Addr(); addr.Dev == n.name {
			f.Pod.Rules = append(f.Pod.Rules, facts.Rule{
				Family: facts.FamilyOf(ip), Priority: PriorityFrom, Src: netip.PrefixFrom(ip, ip.BitLen()), Table: movedTable, Proto: facts.Proto,
			})
		}
	}
}

func request(ifName string) *Request {
	cfg := &config.Config{
		Network: "net", Mode: config.ModeAuto, First: "eth0", TunePodRoutes: true, HostRuleTable: 500,
		CIDRs: []netip.Prefix{
			netip.MustParsePrefix("10.233.64.0/18"), netip.MustParsePrefix("10.233.0.0/18"),
			netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fd85:ee79::/116"),
		},
	}
	return &Request{Config: cfg, ContainerID: container, IfName: ifName}
}

// randomRequest varies everything that a user can configure.
func randomRequest(random *rand.Rand, ifName string) *Request {
	req := request(ifName)
	cfg := req.Config
	cfg.TunePodRoutes = random.IntN(5) > 0
	cfg.DefaultRouteNIC = []string{"", "", "eth0", "net1", "net2", "net9"}[random.IntN(6)]
	cfg.PodRPFilter = random.IntN(4) - 1
	cfg.TxQueueLen = []int{0, 2000}[random.IntN(2)]
	cfg.VethMTU = []int{0, 1400}[random.IntN(2)]
	cfg.HostRuleTable = []int{500, 200}[random.IntN(2)]
	if random.IntN(2) == 0 {
		cfg.VethLinkAddress = netip.MustParseAddr([]string{"169.254.100.1", "fe80::1"}[random.IntN(2)])
	}
	if random.IntN(3) == 0 {
		cfg.MACPrefix = []byte{0x0a, 0x1b}
	}
	if random.IntN(3) == 0 {
		filter := random.IntN(3) - 1
		cfg.HostRPFilter = &filter
	}
	cfg.PolicyRoutes = []config.PolicyRoute{
		{Dst: netip.MustParsePrefix("198.18.0.0/15"), Gw: netip.MustParseAddr("10.6.0.1")},
		{Dst: netip.MustParsePrefix("2001:2::/48"), Gw: netip.MustParseAddr("fd00:10:7::1")},
	}[:random.IntN(3)]
	for range random.IntN(4) {
		cfg.PolicyRoutes = append(cfg.PolicyRoutes, config.PolicyRoute{
			Dst: destination(random), Gw: netip.MustParseAddr(fmt.Sprintf("10.%d.0.%d", 6+random.IntN(3), 1+random.IntN(2))),
		})
	}
	for range random.IntN(4) {
		cfg.CIDRs = append(cfg.CIDRs, destination(random))
	}
	if random.IntN(2) == 0 {
		req.Gateways = map[facts.Family]netip.Addr{
			facts.V4: netip.MustParseAddr("10.7.0.1"), facts.V6: netip.MustParseAddr("fd00:10:7::1"),
		}
	}
	return req
}

// destination draws networks that are equal, inside each other, and the pod's or the node's own.
func destination(random *rand.Rand) netip.Prefix {
	texts := []string{
		"10.233.0.0/18", "10.233.0.0/16", "10.233.64.0/18", "10.233.1.0/24", "10.233.0.1/32", "10.6.0.10/32", "192.168.9.1/32",
		"10.6.0.0/16", "10.7.0.0/16", "198.18.0.0/15", "10.0.0.0/8", "0.0.0.0/0", "10.6.1.2/32", "10.6.0.1/32",
	}
	return netip.MustParsePrefix(texts[random.IntN(len(texts))])
}

func randomNICs(random *rand.Rand) []nic {
	nics := make([]nic, 1+random.IntN(3))
	for number := range nics {
		name := "eth0"
		if number > 0 {
			name = fmt.Sprintf("net%d", number)
		}
		v4, v6 := random.IntN(3) > 0, random.IntN(3) > 0
		nics[number] = nic{
			name: name, net: 6 + number, v4: v4 || !v6, v6: v6, defaults: random.IntN(4) > 0, learned: random.IntN(3) == 0,
		}
	}
	return nics
}

func describe(ops []Op) string {
	lines := make([]string, 0, len(ops))
	for _, op := range ops {
		lines = append(lines, op.Do.String())
	}
	return strings.Join(lines, "\n")
}
