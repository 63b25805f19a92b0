package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/apply"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/calls"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/cniargs"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/config"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/counters"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/prevresult"
)

// Error codes of this plugin; the CNI specification leaves 100 and above to plugins.
const (
	codeNetwork   = 100 // the kernel refused a step
	codeNotInSync = 101 // CHECK: observed and desired state differ
	codeDetected  = 102 // address conflict, or the gateway does not answer
)

// codePluginNotAvailable is the answer of STATUS to a plugin that cannot serve an ADD now.
const codePluginNotAvailable = 50

// call is one invocation for an interface of a pod.
type call struct {
	args *skel.CmdArgs
	cfg  *config.Config
	pod  string // namespace/name, for messages
	req  *plan.Request
}

// newCall checks what the runtime handed over.
func newCall(args *skel.CmdArgs) (*call, error) {
	c := &call{args: args, pod: cniargs.PodName(args.Args)}
	cfg, err := config.Parse(args.StdinData, config.DefaultsPath)
	if err != nil {
		return nil, c.fail(counters.Configuration, types.ErrInvalidNetworkConfig, err)
	}
	c.cfg = cfg
	if cfg.Prev == nil {
		return nil, c.fail(counters.Request, types.ErrInvalidNetworkConfig, errors.New("the runtime gave no prevResult: "+
			"coordinator is a chained plugin and must come after the one that makes the interface"))
	}
	prefixes := prevresult.Prefixes(cfg.Prev, args.IfName)
	gateways, routes := prevresult.Routes(cfg.Prev)
	c.req = &plan.Request{
		Config: cfg, ContainerID: args.ContainerID, IfName: args.IfName,
		Addresses: prevresult.Addresses(prefixes), Prefixes: prefixes, Gateways: gateways, Routes: routes,
	}
	if cfg.DefaultRouteNIC != "" {
		c.req.Attachments, _ = facts.Attachments(facts.MultusDataDir, args.ContainerID, cfg.First)
	}
	return c, nil
}

// fail makes the CNI error: which pod, which interface, what went wrong, and the step that is counted.
func (c *call) fail(step counters.Step, code uint, err error) error {
	who := "pod " + c.pod
	if c.pod == "" {
		who = "container " + c.args.ContainerID
	}
	return calls.Fail(step, code, fmt.Sprintf("coordinator: %s, interface %s: %s", who, c.args.IfName, err))
}

// namespace is that of the pod; empty where the runtime does not tell it.
func (c *call) namespace() string {
	namespace, _, _ := strings.Cut(c.pod, "/")
	return namespace
}

// openNamespaces opens both namespaces.
func (c *call) openNamespaces() (*apply.Kernel, error) {
	host, err := facts.OpenCurrent()
	if err != nil {
		return nil, c.fail(counters.Namespaces, types.ErrInternal, err)
	}
	pod, err := facts.OpenPath(c.args.Netns)
	if err != nil {
		return nil, c.fail(counters.Namespaces, types.ErrInvalidNetNS, fmt.Errorf("open the pod's network namespace: %w", err))
	}
	if pod.Same(host) { // the dispatcher looks when the verb is done, and then the node has veth0
		return nil, c.fail(counters.Namespaces, types.ErrInvalidNetNS, fmt.Errorf("CNI_NETNS %s is the node's own network namespace: "+
			"a pod with hostNetwork has no interface to attach", c.args.Netns))
	}
	return &apply.Kernel{Pod: pod, Host: host}, nil
}

func (c *call) query() facts.Query {
	var cluster []netip.Prefix
	if c.cfg.VethMTU == 0 && c.args.IfName == c.cfg.First {
		cluster = c.cfg.CIDRs
	}
	return facts.Query{
		ClusterCIDRs: cluster,
		HostVeth:     plan.HostVeth(c.args.ContainerID), HostRuleTable: c.cfg.HostRuleTable, First: c.cfg.First,
		IfName: c.args.IfName, PrevAddrs: c.req.Addresses, Marks: c.cfg.Mode == config.ModeUnderlay || c.args.IfName == c.cfg.First,
	}
}

// warn writes warnings where the runtime logs them.
func (c *call) warn(warnings []string) {
	for _, warning := range warnings {
		fmt.Fprintf(os.Stderr, "coordinator: pod %s, interface %s: warning: %s\n", c.pod, c.args.IfName, warning)
	}
}
