package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// looseness orders the values of rp_filter: off, loose, strict (RFC 3704). The numbers do not.
var looseness = map[string]int{"0": 2, "2": 1, "1": 0}

// planRPFilter sets the reverse path filter. The kernel uses the greater of "all" and the
// interface's own value, and a new namespace inherits "default" from the node: all of them count.
func (a *adder) planRPFilter() {
	value := a.req.Config.PodRPFilter
	if value < 0 {
		return
	}
	devs := []string{"all", "default"}
	veth := false
	for _, link := range a.facts.Pod.Links {
		if link.Name != "lo" {
			devs = append(devs, link.Name)
			veth = veth || link.Name == facts.PodVeth
		}
	}
	if a.veth.AddedByCoordinator && !veth {
		devs = append(devs, facts.PodVeth)
	}
	a.ensureRPFilter(facts.Pod, "podRPFilter", value, devs)
}

// ensureRPFilter sets the filter of links that the networks of a pod share, where it is not looser already: then
// another network of the pod may need that, and with a stricter one lose traffic. CHECK does not know whether that
// one is still attached.
func (a *adder) ensureRPFilter(side facts.Side, field string, value int, devs []string) {
	desired := fmt.Sprint(value)
	var looser []string
	for _, dev := range devs {
		existing, ok := a.facts.Of(side).Sysctls[facts.RPFilter(dev)]
		if ok && looseness[existing] > looseness[desired] && (a.req.Check || a.besideAnother()) {
			looser = append(looser, fmt.Sprintf("%s (%s)", dev, existing))
			continue
		}
		a.ensureSysctl(side, facts.RPFilter(dev), desired)
	}
	if len(looser) > 0 {
		a.warn(fmt.Sprintf("rp_filter of %s of the %s is looser than %s %s of this network and stays so: another network of the pod may need that",
			strings.Join(looser, ", "), side, field, desired))
	}
}

// besideAnother says whether an ADD of another interface has set up the pod: that of the first one in underlay mode,
// one that left a rule for its addresses, or in overlay mode routes. Filters come before routes: where these are of
// this interface, those are, too.
func (a *adder) besideAnother() bool {
	if a.veth.AddedByCoordinator && !a.req.first() {
		return true
	}
	ours := func(route facts.Route) bool { return route.Proto == facts.Proto }
	if !a.veth.AddedByCoordinator && slices.ContainsFunc(a.facts.Pod.Routes, ours) {
		return true
	}
	for _, rule := range a.facts.Pod.Rules {
		entry, ok := a.facts.Pod.Addr(rule.Src.Addr())
		if rule.Proto == facts.Proto && rule.Src.IsValid() && ok && entry.Dev != a.req.IfName && entry.Dev != a.req.Config.First {
			return true
		}
	}
	return false
}
