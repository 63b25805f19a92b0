package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
)

// Pod is the observed state of a pod that the plugin connected.
type Pod struct {
	Veth     facts.Link // the node's end of its pair, the cluster network's in overlay mode; empty: not known
	Netns    string     // path of its namespace
	State    *facts.NetnsState
	Firewall facts.Firewall // the chains that translate what comes in
	// Attachments are its interfaces that the plugin connected.
	Attachments []Attachment
}

// who names the pod that a host veth leads to: by its name, else by its addresses.
func (n Node) who(link facts.Link) string {
	owner, _ := vethOwner(link)
	if name := n.Names[owner.ContainerID]; name != "" {
		return "pod " + name
	}
	var addrs []string
	for _, route := range podRoutes(n.State) {
		if route.Dev == link.Name {
			addrs = append(addrs, route.Dst.Addr().String())
		}
	}
	if len(addrs) == 0 {
		return "the pod of container " + owner.ContainerID
	}
	return "the pod with address " + strings.Join(addrs, " and ")
}

// who names the pod, also where its pair does not.
func (p *Pod) who(node Node) string {
	if name := node.Names[sandboxKey(p.Netns)]; name != "" {
		return "pod " + name
	}
	if _, paired := vethOwner(p.Veth); paired {
		return node.who(p.Veth)
	}
	var addrs []string
	for _, link := range p.State.Links {
		if name := node.Names[p.container(&node, link.Name)]; name != "" {
			return "pod " + name
		}
		for _, ip := range plan.UsableAddresses(p.State, link.Name) {
			addrs = append(addrs, ip.String())
		}
	}
	return "the pod with address " + strings.Join(addrs, " and ")
}

// pods reports what differs in pods from what an ADD leaves there.
func pods(node Node) []Finding {
	var findings []Finding
	for _, pod := range node.Pods {
		check := podCheck{Pod: pod, node: node, name: pod.who(node)}
		check.run()
		findings = append(findings, check.findings...)
	}
	return findings
}

type podCheck struct {
	Pod
	node     Node
	name     string
	findings []Finding
}

func (c *podCheck) report(level Level, value, remedy string) {
	finding := Finding{level, c.name, value, remedy}
	if !slices.Contains(c.findings, finding) { // ADDs of several interfaces put back the same
		c.findings = append(c.findings, finding)
	}
}

// inPod is a command line that runs a command in the pod's namespace.
func (c *podCheck) inPod(command string) string { return "nsenter --net=" + c.Netns + " " + command }

func (c *podCheck) run() {
	if !c.underlay() {
		c.missing()
		return
	}
	veth, ok := c.State.Link(facts.PodVeth)
	if _, paired := vethOwner(c.Veth); !ok && !paired {
		c.report(Error, "has lost its veth0, and the node the other end: neither the node nor services reach it",
			"the link was deleted on the node or in the pod: let its controller replace the pod, and find out who did it")
		return
	}
	if !ok {
		c.report(Error, "has no veth0, though the node has its other end", "something in the pod renamed or moved it: let its controller replace the pod")
		return
	}
	if !veth.Up {
		c.report(Error, "its veth0 is down: neither the node nor services reach it", c.inPod("ip link set veth0 up")+"; find out who takes it down")
		return // its routes went with it
	}
	if plan.RPFilterStrict(c.State, facts.PodVeth) {
		c.report(Warning, "rp_filter is 1 (strict) on its veth0: clients whose address is kept get no answer", "set podRPFilter to 0 or 2")
	}
	owner, _ := vethOwner(c.Veth)
	for _, family := range facts.Families {
		addrs := c.State.Usable(owner.IfName, family)
		if len(addrs) == 0 {
			continue
		}
		c.meshAddress(family)
		c.neighboursOfNode(family)
		c.neighboursOfPod(addrs, veth.MAC)
		c.replies(family)
		c.clusterRoutes(family)
	}
	if c.Veth.Up {
		c.strangeAddresses()
		c.missing()
	}
}

// meshAddress reports a redirect of what comes in by an interface that has no address: the kernel has none to
// redirect to and drops the packet.
func (c *podCheck) meshAddress(family facts.Family) {
	for _, addr := range c.State.Addrs {
		if addr.Dev == facts.PodVeth && facts.FamilyOf(addr.Prefix.Addr()) == family {
			return
		}
	}
	const remedy = "set vethLinkAddress (169.254.100.1, say) in the SpiderCoordinator and let the pod's controller replace the pod; until then: "
	address := "169.254.100.1/32"
	if family == facts.V6 {
		address = "fe80::1/64 nodad"
	}
	now := remedy + c.inPod("ip addr add "+address+" dev veth0")
	redirects := slices.ContainsFunc(c.Firewall.Chains, func(chain facts.Chain) bool {
		return slices.Contains(chain.Families, family) && slices.ContainsFunc(chain.Rules, func(rule facts.ChainRule) bool { return rule.Redirect })
	})
	switch {
	case redirects:
		c.report(Error, fmt.Sprintf("redirects %s, as a mesh does, and its veth0 has no %s address: probes and services get no answer", family, family), now)
	case family == facts.V4 && slices.Contains(c.Firewall.Legacy, "nat"):
		c.report(Warning, "has rules of iptables-legacy, as a mesh makes, and its veth0 has no IPv4 address: what is redirected gets no answer", now)
	}
}

// neighboursOfNode reports next hops on veth0 whose hardware address is not that of the node's end.
func (c *podCheck) neighboursOfNode(family facts.Family) {
	hops := map[netip.Addr]bool{}
	for _, route := range c.State.Routes {
		if route.Proto == facts.Proto && route.Dev == facts.PodVeth && route.Family() == family && route.Gw.IsValid() && !hops[route.Gw] {
			hops[route.Gw] = true
			c.neighbour(c.State, route.Gw, facts.PodVeth, c.Veth.MAC, "its neighbour entry of the node's address", c.inPod)
		}
	}
	if len(hops) == 0 {
		c.report(Error, fmt.Sprintf("has no %s route by veth0", family), "something in the pod removed them: let its controller replace the pod")
	}
}

// neighboursOfPod reports the same on the node.
func (c *podCheck) neighboursOfPod(addrs []netip.Addr, mac string) {
	for _, ip := range addrs {
		if slices.ContainsFunc(podRoutes(c.node.State), func(route facts.Route) bool { return route.Dst.Addr() == ip && route.Dev == c.Veth.Name }) {
			c.neighbour(c.node.State, ip, c.Veth.Name, mac, "the node's neighbour entry of its address", func(command string) string { return command })
		}
	}
}

func (c *podCheck) neighbour(state *facts.NetnsState, ip netip.Addr, dev, mac, what string, command func(string) string) {
	remedy := command(fmt.Sprintf("ip neigh replace %s lladdr %s dev %s nud permanent", ip, mac, dev))
	for _, neigh := range state.Neighs {
		if neigh.IP == ip && neigh.Dev == dev {
			if neigh.MAC != mac {
				c.report(Error, fmt.Sprintf("%s %s has the hardware address %s in place of %s", what, ip, neigh.MAC, mac), remedy)
			}
			return
		}
	}
	c.report(Warning, fmt.Sprintf("%s %s is missing", what, ip), remedy)
}

// replies reports what keeps answers to clients whose address was kept from leaving by veth0.
func (c *podCheck) replies(family facts.Family) {
	const effect = ": NodePorts with policy Local and hostPorts do not answer"
	if c.State.Marks[family] != facts.MarksComplete {
		c.report(Error, fmt.Sprintf("its nftables table %s of %s is missing or changed%s", facts.MarkTable, family, effect),
			"something in the pod removed it: let its controller replace the pod")
	}
	number := slices.IndexFunc(c.State.Rules, func(rule facts.Rule) bool {
		return rule.Proto == facts.Proto && rule.Family == family && rule.Mark == facts.MarkBit
	})
	if number < 0 {
		c.report(Error, fmt.Sprintf("its %s rule for marked packets is missing%s", family, effect), "something in the pod removed it: let its controller replace the pod")
		return
	}
	table := c.State.Rules[number].Table
	if !slices.ContainsFunc(c.State.Routes, func(route facts.Route) bool {
		return route.Table == table && route.IsDefault() && route.Family() == family && route.Dev == facts.PodVeth
	}) {
		c.report(Error, fmt.Sprintf("the %s default route by veth0 in its table %d is missing%s", family, table, effect),
			"something in the pod removed it: let its controller replace the pod")
	}
}

// clusterRoutes reports networks of the cluster that the pod does not reach by its node. A network of the
// pod's own interfaces is not routed there.
func (c *podCheck) clusterRoutes(family facts.Family) {
	for _, cidr := range c.node.Defaults.CIDRs {
		if facts.FamilyOf(cidr.Addr()) != family {
			continue
		}
		routed := slices.ContainsFunc(c.State.Routes, func(route facts.Route) bool {
			return route.Table == facts.TableMain && !route.IsDefault() && route.Dst.Bits() <= cidr.Bits() && route.Dst.Contains(cidr.Addr())
		})
		if !routed {
			c.report(Warning, fmt.Sprintf("has no route to %s by veth0", cidr),
				"if its network does not leave that out on purpose, the route was removed, or the pod is older than the value: let its controller replace the pod")
		}
	}
}
