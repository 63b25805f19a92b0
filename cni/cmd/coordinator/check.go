package main

import (
	"fmt"
	"strings"

	"github.com/containernetworking/cni/pkg/skel"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/apply"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/calls"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/config"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/counters"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
)

// check reads the state back and names what an ADD would change.
func check(args *skel.CmdArgs) error {
	c, err := newCall(args)
	if err != nil {
		return err
	}
	if c.cfg.Mode == config.ModeDisabled {
		return nil
	}
	kernel, err := c.openNamespaces()
	if err != nil {
		return err
	}
	c.req.Check = true
	observed, err := facts.Read(kernel.Pod, kernel.Host, c.query())
	if err != nil {
		return c.fail(counters.Observe, codeNetwork, err)
	}
	addPlan, err := plan.Add(observed, c.req)
	if err != nil {
		return c.fail(counters.NotInSync, codeNotInSync, err)
	}
	c.warn(append(addPlan.Warnings, plan.SysctlWarnings(observed, plan.HostVeth(args.ContainerID))...))
	if len(addPlan.Ops)+len(addPlan.Missing) == 0 {
		return nil
	}
	operations := make([]string, 0, len(addPlan.Ops)+len(addPlan.Missing))
	for _, ip := range addPlan.Missing {
		operations = append(operations, fmt.Sprintf("add address %s to %s of the pod", ip, args.IfName))
	}
	for _, op := range addPlan.Ops {
		operations = append(operations, op.Do.String())
	}
	return c.fail(counters.NotInSync, codeNotInSync, fmt.Errorf("the network is not in sync with the configuration; to be as configured it needs: %s; "+
		"delete the pod to have it set up again", strings.Join(operations, "; ")))
}

// gc removes the veth pairs of attachments of this network that are not valid any more, and routes to pods whose port
// of a bridge is gone.
func gc(args *skel.CmdArgs) error {
	cfg := config.ParseLenient(args.StdinData, config.DefaultsPath)
	if cfg.ValidAttachments == nil {
		return nil // no list is not an empty list: nothing is known to be stale
	}
	host, err := facts.OpenCurrent()
	if err != nil {
		return calls.Fail(counters.Namespaces, codeNetwork, "coordinator: "+err.Error())
	}
	state, err := facts.HostEntries(host)
	if err != nil {
		return calls.Fail(counters.Observe, codeNetwork, "coordinator: "+err.Error())
	}
	kernel := &apply.Kernel{Host: host}
	ops := append(plan.Collect(state.Links, cfg.Network, cfg.ValidAttachments), plan.CollectRoutes(state)...)
	if err := kernel.RunAll(ops); err != nil {
		return calls.Fail(counters.Apply, codeNetwork, "coordinator: remove what is left of pods of network "+cfg.Network+": "+err.Error())
	}
	return nil
}

// status says whether pods can be connected now.
func status(args *skel.CmdArgs) error {
	if reason := config.NotReadyReason(args.StdinData, config.DefaultsPath); reason != "" {
		return calls.Fail(counters.NotReady, codePluginNotAvailable, reason)
	}
	if _, err := config.Parse(args.StdinData, config.DefaultsPath); err != nil {
		return calls.Fail(counters.Configuration, codePluginNotAvailable, "coordinator: "+err.Error())
	}
	if err := facts.CheckKernel(facts.KernelRelease()); err != nil {
		return calls.Fail(counters.Kernel, codePluginNotAvailable, "coordinator: "+err.Error())
	}
	host, err := facts.OpenCurrent()
	if err != nil {
		return calls.Fail(counters.Namespaces, codePluginNotAvailable, "coordinator: "+err.Error())
	}
	if _, err := facts.HostLinks(host); err != nil {
		return calls.Fail(counters.Observe, codePluginNotAvailable, "coordinator: "+err.Error())
	}
	return nil
}
