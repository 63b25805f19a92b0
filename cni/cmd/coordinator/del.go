package main

import (
	"errors"
	"fmt"

	"github.com/containernetworking/cni/pkg/skel"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/apply"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/calls"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/cniargs"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/config"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/counters"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/prevresult"
)

// del removes what ADD added, and nothing that is another container's. The node is cleaned first and
// needs only the container's ID; the pod's netns may be gone. Only what exists and cannot be removed is
// an error.
func del(args *skel.CmdArgs) error {
	c := &call{args: args, pod: cniargs.PodName(args.Args)}
	c.cfg = config.ParseLenient(args.StdinData, config.DefaultsPath)
	host, err := facts.OpenCurrent()
	if err != nil {
		return c.fail(counters.Namespaces, codeNetwork, err)
	}
	kernel := &apply.Kernel{Host: host}
	err = c.deleteVeth(kernel)
	if err != nil {
		return c.fail(counters.Apply, codeNetwork, fmt.Errorf("%w; the runtime tries again", err))
	}
	calls.Current.Detached(args.ContainerID, args.IfName)
	return nil
}

// deleteVeth deletes the node's end of the pair where the interface owns it: routes and neighbours of
// the node go with it, and so does the pod's end. Else only what is of the interface is removed.
func (c *call) deleteVeth(kernel *apply.Kernel) error {
	hostVeth, exists, err := facts.HostLink(kernel.Host, plan.HostVeth(c.args.ContainerID))
	if err != nil {
		return err
	}
	if exists {
		if ops := plan.DelHostLink(hostVeth, c.args.ContainerID, c.args.IfName); len(ops) > 0 {
			kernel.CacheIndexes(&facts.Facts{Host: facts.NetnsState{Links: []facts.Link{hostVeth}}})
			return kernel.RunAll(ops)
		}
	}
	return c.deleteEntries(kernel, hostVeth)
}

// deleteEntries removes what is left on the node of the interface, and its source routing in a pod whose
// netns still exists.
func (c *call) deleteEntries(kernel *apply.Kernel, hostVeth facts.Link) error {
	removal := c.removal()
	observed := &facts.Facts{}
	query := facts.HostQuery{
		Addrs: removal.Addresses, Metric: plan.RouteMetric(removal.ContainerID, removal.IfName), Indexes: []int{hostVeth.Index},
	}
	var podErr error
	if c.args.Netns != "" {
		if pod, err := facts.OpenPath(c.args.Netns); err == nil && !pod.Same(kernel.Host) {
			kernel.Pod = pod
			podErr = facts.ReadPodRoutes(pod, &observed.Pod)
			first, _ := observed.Pod.Link(removal.First)
			veth, _ := observed.Pod.Link(facts.PodVeth)
			query.Indexes = append(query.Indexes, first.Peer, veth.Peer)
			query.Addrs = append(query.Addrs, plan.UsableAddresses(&observed.Pod, removal.IfName)...)
		}
	}
	if err := facts.ReadHostEntries(kernel.Host, query, &observed.Host); err != nil {
		return errors.Join(podErr, err)
	}
	if !removal.OwnsNetns(&observed.Pod, &observed.Host) {
		observed.Pod = facts.NetnsState{}
	}
	kernel.CacheIndexes(observed)
	// The node's entries say whose the netns is: a DEL that is killed before leaves them for the next one.
	ops := append(removal.DelPod(&observed.Pod), removal.DelHostEntries(observed)...)
	return errors.Join(podErr, kernel.RunAll(ops))
}

func (c *call) removal() plan.Removal {
	removal := plan.Removal{ContainerID: c.args.ContainerID, IfName: c.args.IfName, First: c.cfg.First}
	if c.cfg.Prev == nil {
		return removal
	}
	removal.Addresses = prevresult.Addresses(prevresult.Prefixes(c.cfg.Prev, c.args.IfName))
	for _, iface := range c.cfg.Prev.Interfaces {
		if iface.Name == c.args.IfName && iface.Sandbox != "" {
			removal.MAC = iface.Mac
		}
	}
	return removal
}
