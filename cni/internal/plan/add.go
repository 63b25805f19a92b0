package plan

import (
	"fmt"
	"net/netip"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// adder plans an ADD.
type adder struct {
	builder
	req    *Request
	veth   VethPair
	tables map[string]int // private routing tables by owner: an interface, or the marks
}

// Add plans the ADD of an interface of a pod.
func Add(f *facts.Facts, req *Request) (*Plan, error) {
	a := &adder{builder: builder{facts: req.withMissing(f)}, req: req, tables: map[string]int{}}
	families, err := a.families()
	if err != nil {
		return nil, err
	}
	if err := a.checkDefaultRouteNIC(); err != nil {
		return nil, err
	}
	if err := a.planVethPair(families); err != nil {
		return nil, err
	}
	if err := a.checkAddresses(families); err != nil {
		return nil, err
	}
	addPlan := &Plan{Veth: a.veth, Missing: req.missing(f)}
	for _, ip := range addPlan.Missing {
		a.warn(fmt.Sprintf("interface %s does not have the address %s that the plugin before the coordinator reports: nothing reaches the pod by it%s",
			req.IfName, ip, whyMissing(req.IfName, ip)))
	}
	a.planInterface(addPlan)
	for _, family := range families {
		a.planFamily(family)
	}
	addPlan.Ops, addPlan.Warnings = a.ops, a.warnings
	return addPlan, nil
}

// whyMissing is what to look at where an interface has lost an address.
func whyMissing(dev string, ip netip.Addr) string {
	if facts.FamilyOf(ip) == facts.V6 {
		return fmt.Sprintf("; is net.ipv6.conf.%s.disable_ipv6 of the pod 1?", dev)
	}
	return ""
}

// families are those in which the interface has an address. Each is planned independently.
func (a *adder) families() ([]facts.Family, error) {
	if _, ok := a.facts.Pod.Link(a.req.IfName); !ok {
		return nil, fmt.Errorf("interface %s is not in the pod: the plugin before the coordinator did not create it; "+
			"check the order of plugins in the network", a.req.IfName)
	}
	var families []facts.Family
	for _, family := range facts.Families {
		if len(a.req.addresses(a.facts, a.req.IfName, family)) == 0 {
			continue
		}
		if !a.facts.Pod.Has(family) {
			a.warn(fmt.Sprintf("the node's kernel has no %s: the %s addresses of interface %s are left alone", family, family, a.req.IfName))
			continue
		}
		families = append(families, family)
	}
	if len(families) == 0 && len(a.warnings) > 0 {
		return nil, fmt.Errorf("interface %s has no usable address: %s", a.req.IfName, a.warnings[0])
	}
	if len(families) == 0 {
		return nil, errNoAddress(a.req.IfName)
	}
	return families, nil
}

func (a *adder) planVethPair(families []facts.Family) error {
	if a.req.Underlay(a.facts) {
		return a.planVeth(families)
	}
	return a.useClusterLink()
}

// planInterface adjusts the interface itself.
func (a *adder) planInterface(addPlan *Plan) {
	dev, cfg := a.req.IfName, a.req.Config
	link, _ := a.facts.Pod.Link(dev)
	if len(cfg.MACPrefix) > 0 {
		addPlan.MAC = macFor(cfg.MACPrefix, InterfaceAddresses(a.facts, a.req)[0], link.MAC)
		if addPlan.MAC != link.MAC {
			a.add(SetMAC{facts.Pod, dev, addPlan.MAC}, SetMAC{facts.Pod, dev, link.MAC})
			addPlan.Announce = true
		}
	}
	if cfg.TxQueueLen > 0 && cfg.TxQueueLen != link.TxQLen {
		a.add(SetTxQLen{facts.Pod, dev, cfg.TxQueueLen}, SetTxQLen{facts.Pod, dev, link.TxQLen})
	}
	a.ensureUp(facts.Pod, dev)
	a.planRPFilter()
}

// planFamily plans addresses, routes, rules and neighbours of one family.
func (a *adder) planFamily(family facts.Family) {
	a.recoverRoutes(family)
	via, ok := a.resolveNexthop(family)
	if ok {
		a.planHostSide(via) // first, so that after an ADD that was killed DEL knows whose the pod's side is
		a.planPodSide(via)
	}
	if a.veth.AddedByCoordinator && a.req.first() {
		a.recoverFirst(family)
		a.keepDefault(family)
	}
	table := facts.TableMain
	if a.req.Config.TunePodRoutes && !(a.veth.AddedByCoordinator && a.req.first()) {
		table = a.planSourceRouting(family, via)
	}
	a.planPolicyRoutes(family, table)
}
