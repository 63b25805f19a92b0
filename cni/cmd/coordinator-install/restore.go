package main

import (
	"errors"
	"net/netip"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/apply"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/counters"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
)

// restorer adds the node's rules to pods that others deleted, gives its routes there other sources than addresses that
// it has lost, and counts both. It needs the node's network and CAP_NET_ADMIN.
type restorer struct {
	host  *facts.Namespace
	tally tally
	lost  map[netip.Addr]bool // sources that the node did not have in the round before; invalid: of routes without one
}

// restore returns what it changed.
func (r *restorer) restore() (changed []string, err error) {
	state, err := facts.HostRules(r.host)
	if err != nil {
		return nil, err
	}
	rules, rulesErr := r.run(plan.MissingHostRules(state), ", which was gone")
	routes, routesErr := r.replaceSources(state)
	return append(rules, routes...), errors.Join(rulesErr, routesErr)
}

// replaceSources leaves a source that is gone for one round: a DHCP client that renews its address has it again a
// moment later.
func (r *restorer) replaceSources(state *facts.NetnsState) ([]string, error) {
	addrs, err := facts.HostAddrs(r.host)
	if err != nil {
		return nil, err
	}
	assigned := facts.NetnsState{Addrs: addrs}
	lost, again := map[netip.Addr]bool{}, map[netip.Addr]bool{}
	for _, route := range state.Routes {
		if _, ok := assigned.Addr(route.Src); ok || !route.IsToPod() {
			continue
		}
		lost[route.Src] = true
		if r.lost[route.Src] {
			again[route.Src] = true
		}
	}
	r.lost = lost
	if len(again) == 0 {
		return nil, nil
	}
	observed, err := facts.HostRouting(r.host)
	if err != nil {
		return nil, err
	}
	return r.run(plan.ReplaceSources(observed, again), ", whose source the node has lost")
}

// run executes what it can, and says of what.
func (r *restorer) run(ops []plan.Op, why string) (changed []string, err error) {
	var errs []error
	kernel := &apply.Kernel{Host: r.host}
	for _, op := range ops {
		if err := kernel.RunAll([]plan.Op{op}); err != nil {
			errs = append(errs, err)
			continue
		}
		r.tally.repaired(repairOf(op.Do))
		changed = append(changed, op.Do.String()+why)
	}
	return changed, errors.Join(errs...)
}

func repairOf(done plan.Action) counters.Repair {
	switch a := done.(type) {
	case plan.PutRoute:
		if a.Route.Family() == facts.V6 {
			return counters.RepairRouteIPv6
		}
		return counters.RepairRouteIPv4
	case plan.PutRule:
		if a.Rule.Family == facts.V6 {
			return counters.RepairRuleIPv6
		}
	}
	return counters.RepairRuleIPv4
}
