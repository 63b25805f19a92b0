package facts

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// PodVeth is the pod's end of the veth pair.
const PodVeth = "veth0"

// Query selects what to read beside the state of the pod.
type Query struct {
	HostVeth      string         // name of the node's end of the veth pair
	HostRuleTable int            // routing table of the node that holds the routes to pods
	First         string         // first interface of the pod; its veth peer on the node is read
	IfName        string         // interface of this call
	PrevAddrs     []netip.Addr   // addresses of the interface in prevResult
	Marks         bool           // read the nftables table, also where there is no veth0 yet
	ClusterCIDRs  []netip.Prefix // networks of the cluster whose routes' MTU matters
}

// Read reads the observed state of a pod and its node.
func Read(pod, host *Namespace, query Query) (*Facts, error) {
	observed := &Facts{Sources: map[Family]netip.Addr{}, Routers: map[Family]netip.Addr{}}
	if err := readPod(pod, &observed.Pod, query); err != nil {
		return nil, fmt.Errorf("read the state of the pod: %w", err)
	}
	if err := readHost(host, observed, query); err != nil {
		return nil, fmt.Errorf("read the state of the node: %w", err)
	}
	return observed, nil
}

func readPod(pod *Namespace, state *NetnsState, query Query) error {
	if err := readPodWithoutMarks(pod, state); err != nil {
		return err
	}
	_, veth := state.Link(PodVeth)
	if !query.Marks && !veth {
		return nil
	}
	return readMarkStates(pod, state)
}

// readPodWithoutMarks reads what needs no capability.
func readPodWithoutMarks(pod *Namespace, state *NetnsState) error {
	name, err := readRouting(pod, state)
	if err != nil {
		return err
	}
	if state.Neighs, err = readNeighs(pod, Families, netip.Addr.IsValid, name); err != nil {
		return err
	}
	state.NoIPv6 = pod.lacksIPv6()
	state.Sysctls = pod.readSysctls(podSysctls(state.Links))
	return nil
}

// readRouting reads all that a route lookup depends on.
func readRouting(namespace *Namespace, state *NetnsState) (linkNamer, error) {
	name, err := readLinks(namespace, state)
	if err != nil {
		return nil, err
	}
	if state.Addrs, err = readAddrs(namespace, name); err != nil {
		return nil, err
	}
	if state.Rules, err = readRules(namespace.Netlink); err != nil {
		return nil, err
	}
	return name, readRoutes(namespace, name, state)
}

func readMarkStates(pod *Namespace, state *NetnsState) error {
	conn, err := pod.NFTables()
	if err != nil {
		return fmt.Errorf("open an nftables socket: %w", err)
	}
	tables, err := conn.ListTables()
	if err != nil {
		return fmt.Errorf("read the nftables tables: %w (is the kernel module nf_tables loaded?)", err)
	}
	state.Marks = map[Family]MarkState{}
	for _, family := range Families {
		state.Marks[family] = readMarkState(conn, tables, family)
	}
	return nil
}

func readLinks(namespace *Namespace, state *NetnsState) (linkNamer, error) {
	links, err := namespace.Links()
	if err != nil {
		return nil, err
	}
	names := make(map[int]string, len(links))
	for _, link := range links {
		state.Links = append(state.Links, fromLink(link))
		names[link.Attrs().Index] = link.Attrs().Name
	}
	return func(index int) string { return names[index] }, nil
}

func readAddrs(namespace *Namespace, name linkNamer) ([]Addr, error) {
	addrs, err := namespace.Addresses(nil, netlink.FAMILY_ALL)
	if err != nil {
		return nil, err
	}
	return fromAddrs(addrs, name), nil
}

func readRules(handle *netlink.Handle) ([]Rule, error) {
	var converted []Rule
	for _, family := range Families {
		rules, err := dump(func() ([]netlink.Rule, error) { return handle.RuleList(KernelFamily(family)) })
		if lacksFamily(family, err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list %s rules: %w", family, err)
		}
		for _, rule := range rules {
			converted = append(converted, fromRule(rule))
		}
	}
	return converted, nil
}

// RPFilter is the key of the reverse path filter of an interface (or of "all" and "default").
func RPFilter(dev string) string { return "net/ipv4/conf/" + dev + "/rp_filter" }

// Forwarding is the key of an interface's IPv4 forwarding of what comes in by it (or of new ones, "default").
// The one of IPv6 decides nothing: there the kernel asks that of "all".
func Forwarding(dev string) string { return "net/ipv4/conf/" + dev + "/forwarding" }

// TCPLiberal is the key of the connection tracker's tolerance of TCP packets out of its window.
const TCPLiberal = "net/netfilter/nf_conntrack_tcp_be_liberal"

// SysctlV6 is the key of an IPv6 setting of an interface.
func SysctlV6(dev, name string) string { return "net/ipv6/conf/" + dev + "/" + name }

func podSysctls(links []Link) []string {
	keys := []string{RPFilter("all"), RPFilter("default")}
	for _, link := range links {
		if link.Name == "lo" {
			continue
		}
		keys = append(keys, RPFilter(link.Name), SysctlV6(link.Name, "accept_ra_defrtr"))
		if link.Name == PodVeth {
			keys = append(keys, SysctlV6(PodVeth, "disable_ipv6"), SysctlV6(PodVeth, "addr_gen_mode"))
		}
	}
	return keys
}
