// Command ifacer is a CNI plugin that comes before the one that makes a pod's interface: it makes the
// VLAN interface and the bond that this one needs as its master on the node.
//
// It runs once for each interface of a pod and exits: no agent, no other program. What it made stays:
// other pods are on it.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	current "github.com/containernetworking/cni/pkg/types/100"
	"github.com/containernetworking/cni/pkg/version"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/calls"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/cniargs"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/counters"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/ifacer"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/nodelinks"
)

var versions = version.PluginSupports("0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")

// Error codes of this plugin; the CNI specification leaves 100 and above to plugins.
const (
	codeNetwork   = 100 // the node's interfaces are not as the network needs them, or the kernel refused a step
	codeNotInSync = 101 // CHECK: observed and desired state differ
	// codePluginNotAvailable is the specification's answer of STATUS.
	codePluginNotAvailable = 50
)

func main() {
	// A few milliseconds and megabytes in all: collecting garbage would only cost time.
	debug.SetGCPercent(-1)
	funcs := skel.CNIFuncs{Add: add, Del: del, Check: check, GC: del, Status: status}
	os.Exit(calls.Main(counters.Ifacer, funcs, versions, "ifacer: VLAN interfaces and bonds on the node, for the plugin that comes after it"))
}

// add makes what is missing. Several pods may start at once: what is complete is only read, under a shared
// lock, so that nobody sees what is half made or about to be rolled back.
func add(args *skel.CmdArgs) error {
	cfg, err := ifacer.Parse(args.StdinData)
	if err != nil {
		return fail(args, counters.Configuration, types.ErrInvalidNetworkConfig, err)
	}
	warn(args, cfg.Warnings)
	host, err := facts.OpenCurrent()
	if err != nil {
		return fail(args, counters.Namespaces, types.ErrInternal, err)
	}
	step := counters.Plan
	ops, err := planned(host, cfg, nodelinks.LockShared, nil)
	if err != nil || len(ops) > 0 {
		_, err = planned(host, cfg, nodelinks.LockExclusive, func(ops []ifacer.Operation) error {
			step = counters.Apply
			return nodelinks.Run(host.Netlink, ops)
		})
	}
	if err != nil {
		return fail(args, step, codeNetwork, fmt.Errorf("network %q: %w", cfg.Network, err))
	}
	result := cfg.Prev
	if result == nil {
		result = &current.Result{CNIVersion: current.ImplementedSpecVersion}
	}
	return types.PrintResult(result, cfg.Version)
}

// planned plans, and acts while it holds the lock.
func planned(
	host *facts.Namespace, cfg *ifacer.Config, lock func() (*nodelinks.Lock, error), act func([]ifacer.Operation) error,
) ([]ifacer.Operation, error) {
	held, err := lock()
	if err != nil {
		return nil, err
	}
	defer held.Unlock()
	links, err := nodelinks.Read(host)
	if err != nil {
		return nil, err
	}
	ops, err := ifacer.Plan(links, cfg)
	if err == nil && act != nil {
		err = act(ops)
	}
	return ops, err
}

// check names what an ADD would change.
func check(args *skel.CmdArgs) error {
	cfg, err := ifacer.Parse(args.StdinData)
	if err != nil {
		return fail(args, counters.Configuration, types.ErrInvalidNetworkConfig, err)
	}
	host, err := facts.OpenCurrent()
	if err != nil {
		return fail(args, counters.Namespaces, types.ErrInternal, err)
	}
	ops, err := planned(host, cfg, nodelinks.LockShared, nil)
	if err != nil {
		return fail(args, counters.NotInSync, codeNotInSync, fmt.Errorf("network %q: %w", cfg.Network, err))
	}
	if len(ops) == 0 {
		return nil
	}
	steps := make([]string, 0, len(ops))
	for _, op := range ops {
		steps = append(steps, op.String())
	}
	return fail(args, counters.NotInSync, codeNotInSync, fmt.Errorf("network %q: the node's interfaces are not in sync with the configuration; to be as configured they need: %s; "+
		"the next pod of the network that starts here has it done", cfg.Network, strings.Join(steps, "; ")))
}

// del is DEL and GC: nothing is removed. Pods of other networks and the node itself may use the interfaces.
func del(*skel.CmdArgs) error { return nil }

// status says whether interfaces can be made now.
func status(args *skel.CmdArgs) error {
	step := counters.Configuration
	_, err := ifacer.Parse(args.StdinData)
	if err == nil {
		step = counters.Namespaces
		var host *facts.Namespace
		if host, err = facts.OpenCurrent(); err == nil {
			step = counters.Observe
			_, err = nodelinks.Read(host)
		}
	}
	if err != nil {
		return calls.Fail(step, codePluginNotAvailable, "ifacer: "+err.Error())
	}
	return nil
}

// fail makes the CNI error: which pod, which interface, what went wrong, and the step that is counted.
func fail(args *skel.CmdArgs, step counters.Step, code uint, err error) error {
	return calls.Fail(step, code, fmt.Sprintf("ifacer: %s, interface %s: %s", who(args), args.IfName, err))
}

func warn(args *skel.CmdArgs, warnings []string) {
	for _, warning := range warnings {
		fmt.Fprintf(os.Stderr, "ifacer: %s, interface %s: warning: %s\n", who(args), args.IfName, warning)
	}
}

// who names the pod by the CNI arguments, or the container without them.
func who(args *skel.CmdArgs) string {
	if pod := cniargs.PodName(args.Args); pod != "" {
		return "pod " + pod
	}
	return "container " + args.ContainerID
}
