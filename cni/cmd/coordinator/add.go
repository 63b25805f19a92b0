package main

import (
	"errors"
	"fmt"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	current "github.com/containernetworking/cni/pkg/types/100"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/apply"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/calls"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/config"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/counters"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
)

func add(args *skel.CmdArgs) error {
	if reason := config.NotReadyReason(args.StdinData, config.DefaultsPath); reason != "" {
		return calls.Fail(counters.NotReady, types.ErrTryAgainLater, reason)
	}
	c, err := newCall(args)
	if err != nil {
		return err
	}
	if c.cfg.Mode == config.ModeDisabled {
		return types.PrintResult(c.cfg.Prev, c.cfg.CNIVersion)
	}
	if err := facts.CheckKernel(facts.KernelRelease()); err != nil {
		return c.fail(counters.Kernel, codeNetwork, err)
	}
	kernel, err := c.openNamespaces()
	if err != nil {
		return err
	}
	if err := kernel.Claim(c.req.Addresses); err != nil {
		return c.fail(counters.Conflict, types.ErrTryAgainLater, err)
	}
	addPlan, err := c.reconcile(kernel)
	if err != nil {
		return err
	}
	if calls.Current.Counts() {
		calls.Current.Attached(counters.Attachment{
			ContainerID: args.ContainerID, IfName: args.IfName,
			Network: c.cfg.Network, PodNamespace: c.namespace(), Revision: c.cfg.Revision(),
		})
	}
	return types.PrintResult(c.result(addPlan), c.cfg.CNIVersion)
}

// reconcile makes the observed state of pod and node the desired one.
func (c *call) reconcile(kernel *apply.Kernel) (*plan.Plan, error) {
	observed, err := facts.Read(kernel.Pod, kernel.Host, c.query())
	if err != nil {
		return nil, c.fail(counters.Observe, codeNetwork, err)
	}
	addPlan, err := plan.Add(observed, c.req)
	var conflict *plan.ConflictError
	if errors.As(err, &conflict) {
		return nil, c.fail(counters.Conflict, codeDetected, err)
	}
	if err != nil {
		return nil, c.fail(counters.Plan, types.ErrInvalidNetworkConfig, err)
	}
	c.warn(addPlan.Warnings)
	if err := c.detect(kernel, observed); err != nil {
		return nil, err
	}
	kernel.CacheIndexes(observed)
	if err := kernel.Run(addPlan.Ops); err != nil {
		return nil, c.fail(counters.Apply, codeNetwork, fmt.Errorf("%w; all steps before were rolled back; "+
			"section \"When ADD fails\" of docs/coordinator.md says what to check", err))
	}
	if addPlan.Announce || c.cfg.DetectConflict || c.cfg.Announce {
		if err := kernel.Announce(c.args.IfName, plan.InterfaceAddresses(observed, c.req)); err != nil {
			c.warn([]string{"gratuitous ARP or unsolicited NA not sent: " + err.Error()})
		}
	}
	return addPlan, nil
}

// detect probes for address conflicts and gateways, where it is configured, before any change.
func (c *call) detect(kernel *apply.Kernel, observed *facts.Facts) error {
	targets := plan.Detect(observed, c.req)
	if len(targets.Addresses)+len(targets.Gateways) == 0 {
		return nil
	}
	err := kernel.Detect(apply.Detection{
		Dev: c.args.IfName, Addresses: targets.Addresses, Gateways: targets.Gateways, Sources: plan.InterfaceAddresses(observed, c.req),
	})
	if err != nil {
		return c.fail(counters.Conflict, codeDetected, err)
	}
	return nil
}

// result appends the veth pair to the interfaces of prevResult, so that the indexes in its ips stay
// valid.
//
// veth0 is named without its namespace: versions of Multus up to 4.0 write the last interface with
// a namespace into the pod's network-status, and that must stay the interface of the network.
func (c *call) result(addPlan *plan.Plan) *current.Result {
	result := c.cfg.Prev
	for _, iface := range result.Interfaces {
		if iface.Name == c.args.IfName && iface.Sandbox != "" && addPlan.MAC != "" {
			iface.Mac = addPlan.MAC
		}
	}
	if veth := addPlan.Veth; veth.AddedByCoordinator {
		result.Interfaces = append(result.Interfaces,
			&current.Interface{Name: veth.HostDev, Mac: veth.HostMAC},
			&current.Interface{Name: veth.PodDev, Mac: veth.PodMAC})
	}
	return result
}
