package plan

import (
	"net/netip"
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// Every route of this plugin names its source address: what the kernel would choose changes when a
// router announces a prefix or a virtual address moves to the node, and the other end knows no way
// back to such an address.

// nodeSource is the source of the pod's routes to the node: an address of the first interface, or where it
// has none in that family, of the interface whose ADD made the routes.
func (a *adder) nodeSource(family facts.Family) netip.Addr {
	if source := a.sourceOf(a.req.Config.First, family, facts.TableMain); source.IsValid() {
		return source
	}
	for _, route := range a.facts.Pod.Routes {
		ours := route.Proto == facts.Proto && route.Table == facts.TableMain && route.Dev == a.veth.PodDev
		stays := a.req.Check && route.Src.IsValid() // CHECK of the interface that has lost it names the address
		if ours && route.Family() == family && (stays || isSourceOf(&a.facts.Pod, route.Src)) {
			return route.Src
		}
	}
	return a.sourceOf(a.req.IfName, family, facts.TableMain)
}

// sourceOf is the source of routes of an interface in a table; invalid where the kernel would not take
// any. An address that routes there have already stays, as long as no better one is there.
func (a *adder) sourceOf(dev string, family facts.Family, table int) netip.Addr {
	candidates := a.facts.Pod.Usable(dev, family)
	if len(candidates) == 0 {
		return netip.Addr{}
	}
	if dev == a.req.IfName {
		candidates = a.req.firstOfIPAM(&a.facts.Pod, candidates)
	}
	best, _ := a.facts.Pod.Addr(candidates[0])
	link, _ := a.facts.Pod.Link(dev)
	if best.DADFailed || (best.Tentative && !link.Carrier) {
		return netip.Addr{} // it does not become usable soon
	}
	for _, route := range a.facts.Pod.Routes {
		if route.Proto == facts.Proto && route.Table == table && slices.Contains(candidates, route.Src) {
			if entry, _ := a.facts.Pod.Addr(route.Src); entry.Dynamic == best.Dynamic && !entry.DADFailed {
				return route.Src
			}
		}
	}
	return candidates[0]
}

// firstOfIPAM puts the first address of prevResult before the others, in whichever order the link got them.
func (r *Request) firstOfIPAM(pod *facts.NetnsState, candidates []netip.Addr) []netip.Addr {
	for _, ip := range r.Addresses {
		if entry, ok := pod.Addr(ip); ok && slices.Contains(candidates, ip) && !entry.Dynamic && !entry.DADFailed {
			others := slices.DeleteFunc(slices.Clone(candidates), func(other netip.Addr) bool { return other == ip })
			return append([]netip.Addr{ip}, others...)
		}
	}
	return candidates
}

// isSourceOf says whether an address is one of the pod's interfaces.
func isSourceOf(pod *facts.NetnsState, ip netip.Addr) bool {
	entry, ok := pod.Addr(ip)
	return ok && ip.IsValid() && entry.Dev != "lo" && entry.Dev != facts.PodVeth && !entry.DADFailed
}

// awaitSource waits for duplicate address detection: the kernel takes no route whose source is tentative.
func (b *builder) awaitSource(side facts.Side, route facts.Route) {
	entry, ok := b.facts.Of(side).Addr(route.Src)
	if !ok || !entry.Tentative || slices.Contains(b.awaited, route.Src) {
		return
	}
	b.awaited = append(b.awaited, route.Src)
	b.add(AwaitAddr{side, entry.Dev, route.Src}, nil)
}

// replaceSource plans other source addresses for this plugin's routes that have one of an interface that
// is being deleted. Routes in tables that are deleted with it are left out.
func (r Removal) replaceSource(pod *facts.NetnsState, gone map[netip.Addr]bool, tables map[int]bool) []Op {
	var ops []Op
	for _, route := range pod.Routes {
		if route.Proto != facts.Proto || !gone[route.Src] || tables[route.Table] || route.Dev == r.IfName {
			continue
		}
		for _, link := range pod.Links {
			others := pod.Usable(link.Name, route.Family())
			if link.Name != r.IfName && link.Name != facts.PodVeth && link.Name != "lo" && len(others) > 0 {
				route.Src = others[0]
				ops = append(ops, Op{Do: PutRoute{Side: facts.Pod, Route: route}})
				break
			}
		}
	}
	return ops
}
