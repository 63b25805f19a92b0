package plan

import (
	"fmt"
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// tableKept holds the default route of the first interface, and no rule looks it up: Multus deletes that
// route after the ADD when the annotation asks for the default route of another interface, and the ADD
// of that one must know it for what has the first interface's address.
const tableKept = FirstTable - 1

// keepDefault plans the copy of the first interface's default route, where the table is nobody else's.
func (a *adder) keepDefault(family facts.Family) {
	foreign := func(route facts.Route) bool { return route.Table == tableKept && route.Proto != facts.Proto }
	lookedUp := func(rule facts.Rule) bool { return rule.Table == tableKept }
	pod := &a.facts.Pod
	if len(pod.Usable(a.req.IfName, family)) == 0 {
		return // nothing has its address, and the kernel may not take a copy any more
	}
	if slices.ContainsFunc(pod.Routes, foreign) || slices.ContainsFunc(pod.Special, foreign) || slices.ContainsFunc(pod.Rules, lookedUp) {
		a.warn(fmt.Sprintf("routing table %d of the pod is another program's: where Multus gives the default route to another interface, "+
			"replies from the addresses of %s leave by that one", tableKept, a.req.IfName))
		return
	}
	for _, route := range a.mainDefaults(a.req.IfName, family) {
		if route.Gw.IsValid() && route.Proto != facts.ProtoRA && route.Proto != facts.Proto {
			a.ensureRoute(facts.Pod, facts.Route{
				Dst: route.Dst, Gw: route.Gw, Dev: route.Dev, Src: a.sourceOf(route.Dev, family, tableKept),
				Table: tableKept, Onlink: route.Onlink,
			})
			return
		}
	}
}

// lostDefault is the default route that the first interface had, or would have by the node in overlay
// mode; ok is false for an interface that has one.
func (a *adder) lostDefault(dev string, family facts.Family, via nexthop) (route facts.Route, ok bool) {
	if dev != a.req.Config.First || dev == a.req.IfName || a.sharesDefault(dev, family) {
		return facts.Route{}, false
	}
	if existing, ok := a.defaultOf(dev, family); ok && (existing.Table == facts.TableMain || existing.Proto != facts.Proto) {
		return facts.Route{}, false
	}
	for _, route := range a.facts.Pod.Routes {
		if route.Table == tableKept && route.Dev == dev && route.Family() == family && route.Proto == facts.Proto {
			return route, true
		}
	}
	if a.veth.AddedByCoordinator || len(via.nodeAddrs) == 0 {
		return facts.Route{}, false
	}
	source := a.sourceOf(dev, family, a.existingTable(dev))
	gateway := via.gateway()
	if own, ok := a.clusterRoute(defaultDst(family)); ok && own.Gw.IsValid() {
		gateway = own.Gw
	}
	return facts.Route{Dst: defaultDst(family), Gw: gateway, Dev: dev, Src: source}, true
}
