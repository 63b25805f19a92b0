package plan

import (
	"fmt"
	"net/netip"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// planPolicyRoutes plans the static routes whose gateway is on-link on the interface of this call. The
// cluster's list applies to every interface, so an entry for another one is skipped.
func (a *adder) planPolicyRoutes(family facts.Family, table int) {
	dev := a.req.IfName
	for _, entry := range a.req.Config.PolicyRoutes {
		if facts.FamilyOf(entry.Gw) != family {
			continue
		}
		if !a.onLink(dev, entry.Gw) {
			a.warn(fmt.Sprintf("policy route %s via %s is left out for interface %s: it has no subnet with that router", entry.Dst, entry.Gw, dev))
			continue
		}
		a.ensureRoute(facts.Pod, facts.Route{Dst: entry.Dst, Gw: entry.Gw, Dev: dev, Src: a.sourceOf(dev, family, table), Table: table})
	}
}

// onLink says whether an address is on-link on an interface.
func (a *adder) onLink(dev string, ip netip.Addr) bool {
	for _, addr := range a.facts.Pod.Addrs {
		if addr.Dev == dev && addr.Prefix.Masked().Contains(ip) {
			return true
		}
	}
	for _, route := range a.facts.Pod.Routes {
		direct := !route.Gw.IsValid() && !route.IsDefault()
		if route.Table == facts.TableMain && route.Dev == dev && direct && route.Dst.Contains(ip) {
			return true
		}
	}
	return false
}
