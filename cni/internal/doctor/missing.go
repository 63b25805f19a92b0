package doctor

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
)

// missing reports what an ADD would put back, on both sides, but for what the other checks tell of in the words of
// its effect.
func (c *podCheck) missing() {
	for _, attachment := range c.Attachments {
		adding, err := plan.Add(attachment.Observed, attachment.Request)
		if err != nil {
			c.report(Error, fmt.Sprintf("an ADD of its interface %s would fail: %s", attachment.Request.IfName, err), "let its controller replace the pod")
			continue
		}
		for _, ip := range adding.Missing {
			c.missedAddress(attachment.Request, ip)
		}
		for _, op := range adding.Ops {
			c.missed(attachment, op.Do)
		}
	}
}

// missed reports what one operation of an ADD would put back.
func (c *podCheck) missed(attachment Attachment, do plan.Action) {
	switch a := do.(type) {
	case plan.PutRoute:
		c.missedRoute(attachment, a.Side, a.Route)
	case plan.AddRoute:
		c.missedRoute(attachment, a.Side, a.Route)
	case plan.PutRule:
		c.missedRule(a.Side, a.Rule)
	case plan.PutNeigh:
		if !c.toldOf(a.Side, a.Neigh) {
			c.lacks(a.Side, fmt.Sprintf("the permanent neighbour %s lladdr %s dev %s", a.Neigh.IP, a.Neigh.MAC, a.Neigh.Dev),
				fmt.Sprintf("ip neigh replace %s lladdr %s dev %s nud permanent", a.Neigh.IP, a.Neigh.MAC, a.Neigh.Dev))
		}
	case plan.PutAddr:
		c.lacks(a.Side, fmt.Sprintf("the address %s of %s", a.Addr.Prefix, a.Addr.Dev), fmt.Sprintf("ip addr add %s dev %s", a.Addr.Prefix, a.Addr.Dev))
	case plan.SetUp:
		c.put(a.Side, Error, a.Dev+" is down", fmt.Sprintf("ip link set %s up", a.Dev))
	case plan.SetMTU:
		c.put(a.Side, Warning, fmt.Sprintf("the MTU of %s differs from that of the other end", a.Dev), fmt.Sprintf("ip link set %s mtu %d", a.Dev, a.MTU))
	case plan.SetSysctl:
		c.put(a.Side, Error, fmt.Sprintf("sysctl %s is not %s", a.Key, a.Value), fmt.Sprintf("sysctl -w %s=%s", a.Key, a.Value))
	}
}

// put reports with the command that repairs it, on the pod's side or the node's.
func (c *podCheck) put(side facts.Side, level Level, value, command string) {
	const unlike = "; find out who changed it"
	if side == facts.Host {
		c.report(level, "on the node, "+value, command+unlike)
		return
	}
	c.report(level, value, c.inPod(command)+unlike)
}

func (c *podCheck) lacks(side facts.Side, what, command string) {
	if side == facts.Host {
		c.report(Error, "the node lacks "+what, command+"; find out who removed it")
		return
	}
	c.report(Error, "lacks "+what, c.inPod(command)+"; find out who removed it, or let its controller replace the pod")
}

func (c *podCheck) missedRoute(attachment Attachment, side facts.Side, route facts.Route) {
	first, toNode := c.first()
	if side == facts.Pod && toNode == facts.PodVeth && route.IsDefault() && route.Dev == toNode {
		return // for replies
	}
	if side == facts.Host && attachment.Request.ContainerID == "" {
		// The mark of its container is not known here.
		for _, existing := range podRoutes(c.node.State) {
			existing.Metric = route.Metric
			if existing == route {
				return
			}
		}
		route.Metric = 0
	}
	moved := slices.ContainsFunc(c.State.Routes, func(existing facts.Route) bool {
		return existing.Dev == first && existing.IsDefault() && existing.Family() == route.Family()
	})
	if side == facts.Pod && route.Dev == first && route.Table == facts.TableMain && route.IsDefault() && moved {
		return // of the network's own plugin, and Multus may have deleted it
	}
	words := plan.RouteWords(route)
	c.lacks(side, "the route "+words, fmt.Sprintf("ip -%d route replace %s proto %d", route.Family(), words, route.Proto))
}

// missedAddress reports an address of IPAM that is gone, where it is not told as one that the node routes to the pod.
func (c *podCheck) missedAddress(request *plan.Request, ip netip.Addr) {
	for _, prefix := range request.Prefixes {
		if prefix.Addr() == ip && !(c.underlay() && c.routedByNode(ip)) {
			c.lacks(facts.Pod, fmt.Sprintf("the address %s of %s", prefix, request.IfName), fmt.Sprintf("ip addr add %s dev %s", prefix, request.IfName))
		}
	}
}

func (c *podCheck) missedRule(side facts.Side, rule facts.Rule) {
	told := rule.Mark != 0 || side == facts.Host && slices.ContainsFunc(podRoutes(c.node.State), func(route facts.Route) bool {
		return route.Table == rule.Table && route.Family() == rule.Family
	})
	if told {
		return
	}
	words := plan.RuleWords(rule)
	c.lacks(side, fmt.Sprintf("the %s rule %s", rule.Family, words), fmt.Sprintf("ip -%d rule add %s proto %d", rule.Family, words, facts.Proto))
}

// toldOf says whether another check reports a neighbour that is missing or wrong.
func (c *podCheck) toldOf(side facts.Side, neigh facts.Neigh) bool {
	owner, paired := vethOwner(c.Veth)
	if !paired {
		return false
	}
	if side == facts.Host {
		return slices.Contains(plan.UsableAddresses(c.State, owner.IfName), neigh.IP) && c.routedByNode(neigh.IP)
	}
	return slices.ContainsFunc(c.State.Routes, func(route facts.Route) bool {
		return route.Proto == facts.Proto && route.Dev == facts.PodVeth && route.Gw == neigh.IP
	})
}

// routedByNode says whether the node has a route to an address by the pod's pair.
func (c *podCheck) routedByNode(ip netip.Addr) bool {
	return slices.ContainsFunc(podRoutes(c.node.State), func(route facts.Route) bool {
		return route.Dst.Addr() == ip && route.Dev == c.Veth.Name
	})
}

// strangeAddresses reports addresses that the node routes to the pod and that it has not.
func (c *podCheck) strangeAddresses() {
	for _, route := range podRoutes(c.node.State) {
		if _, ok := c.State.Addr(route.Dst.Addr()); !ok && route.Dev == c.Veth.Name {
			c.report(Warning, fmt.Sprintf("has no address %s, which the node routes to it", route.Dst.Addr()),
				"something in the pod removed or moved it, as KubeVirt's bridge binding does: let its controller replace the pod")
		}
	}
}
