package main

import (
	"errors"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/apply"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/counters"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
)

// restoreRules adds the node's rules to pods that others deleted, counts and returns what it added. It needs the
// node's network and CAP_NET_ADMIN.
func restoreRules(host *facts.Namespace, tally tally) (changed []string, err error) {
	state, err := facts.HostRules(host)
	if err != nil {
		return nil, err
	}
	var errs []error
	kernel := &apply.Kernel{Host: host}
	for _, op := range plan.MissingHostRules(state) {
		if err := kernel.RunAll([]plan.Op{op}); err != nil {
			errs = append(errs, err)
			continue
		}
		if rule, ok := op.Do.(plan.PutRule); ok {
			tally.repaired(repairOf(rule.Rule.Family))
		}
		changed = append(changed, op.Do.String()+", which was gone")
	}
	return changed, errors.Join(errs...)
}

func repairOf(family facts.Family) counters.Repair {
	if family == facts.V6 {
		return counters.RepairRuleIPv6
	}
	return counters.RepairRuleIPv4
}
