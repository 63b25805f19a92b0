package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// namedPods is how many pods a finding names that may be of all of them.
const namedPods = 5

// wrongWay is where the node sends what is for a pod, though it has a route to its link.
type wrongWay struct {
	family facts.Family
	dev    string // empty: nowhere
}

// ways reports pods that the node does not reach though rule and route are there: another program's rule before
// ours, or its route in our table, decides. wg-quick's rules are such ones where they are added after ours: without
// a number of their own, the kernel puts them before all others.
func ways(node Node) []Finding {
	astray := map[wrongWay][]string{}
	for _, route := range podRoutes(node.State) {
		dev, asked := node.Ways[route.Dst.Addr()]
		if !asked || dev == route.Dev || !node.hasRule(route) {
			continue
		}
		pod := route.Dst.Addr().String()
		if link, ok := node.State.Link(route.Dev); ok && isLiving(link) {
			pod += " of " + node.who(link)
		}
		wrong := wrongWay{route.Family(), dev}
		astray[wrong] = append(astray[wrong], pod)
	}
	var findings []Finding
	for _, wrong := range slices.SortedFunc(maps.Keys(astray), func(a, b wrongWay) int {
		return cmp.Or(cmp.Compare(a.family, b.family), cmp.Compare(a.dev, b.dev))
	}) {
		pods, more := astray[wrong], ""
		if len(pods) > namedPods {
			pods, more = pods[:namedPods], fmt.Sprintf(" and %d more", len(pods)-namedPods)
		}
		where := "nowhere"
		if wrong.dev != "" {
			where = "by " + wrong.dev
		}
		findings = append(findings, Finding{Error, fmt.Sprintf("the node's %s way to pods", wrong.family),
			fmt.Sprintf("leads %s and not to their links: %s%s", where, strings.Join(pods, ", "), more),
			fmt.Sprintf("ip -%d route get ADDRESS, ip -%d rule: give the rule that decides there a number above 1000 (wg-quick's are put before "+
				"all others when they have none), or take its route out of our table", wrong.family, wrong.family)})
	}
	return findings
}

// hasRule says whether there is a rule that looks up a route's table.
func (n Node) hasRule(route facts.Route) bool {
	return slices.ContainsFunc(n.State.Rules, func(rule facts.Rule) bool {
		return rule.Family == route.Family() && rule.Table == route.Table && !rule.Foreign
	})
}

// readWays asks the kernel for the device of each address that the node has a route of this plugin to.
func readWays(host *facts.Namespace, state *facts.NetnsState) map[netip.Addr]string {
	ways := map[netip.Addr]string{}
	for _, route := range podRoutes(state) {
		ways[route.Dst.Addr()] = host.DeviceTo(route.Dst.Addr(), state)
	}
	return ways
}
