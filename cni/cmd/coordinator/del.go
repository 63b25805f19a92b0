package main

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/containernetworking/cni/pkg/skel"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/apply"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/config"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
)

// del removes what ADD added. The node is cleaned first and needs only the container's ID; the pod's
// netns may be gone. Only what exists and cannot be removed is an error.
func del(args *skel.CmdArgs) error {
	c := &call{args: args, pod: podName(args.Args)}
	c.cfg = config.ParseLenient(args.StdinData, config.DefaultsPath)
	host, err := facts.OpenCurrent()
	if err != nil {
		return c.fail(codeNetwork, err)
	}
	kernel := &apply.Kernel{Host: host}
	err = c.deleteVeth(kernel)
	if err != nil {
		return c.fail(codeNetwork, fmt.Errorf("%w; the runtime tries again", err))
	}
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
			return kernel.RunAll(ops)
		}
	}
	return c.deleteHostEntries(kernel)
}

// deleteHostEntries removes what is left on the node for the interface's addresses, and the
// source routing of the interface in a pod whose netns still exists.
func (c *call) deleteHostEntries(kernel *apply.Kernel) error {
	var addresses []netip.Addr
	if c.cfg.Prev != nil {
		addresses = addressesOf(c.cfg.Prev, c.args.IfName)
	}
	var podErr error
	if c.args.Netns != "" {
		if pod, err := facts.OpenPath(c.args.Netns); err == nil {
			kernel.Pod = pod
			var podAddresses []netip.Addr
			podAddresses, podErr = c.deletePodRoutes(kernel)
			addresses = append(addresses, podAddresses...)
		}
	}
	if len(addresses) == 0 {
		return podErr
	}
	entries, err := facts.HostEntries(kernel.Host, addresses)
	if err != nil {
		return errors.Join(podErr, err)
	}
	return errors.Join(podErr, kernel.RunAll(plan.DelHostEntries(entries, addresses)))
}

// deletePodRoutes cleans the pod and returns the addresses of the interface there.
func (c *call) deletePodRoutes(kernel *apply.Kernel) ([]netip.Addr, error) {
	podState, err := facts.PodRoutes(kernel.Pod)
	if err != nil {
		return nil, err
	}
	var addresses []netip.Addr
	for _, family := range facts.Families {
		addresses = append(addresses, podState.Usable(c.args.IfName, family)...)
	}
	return addresses, kernel.RunAll(plan.DelPod(podState, c.args.IfName))
}
