package main

import (
	"fmt"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	current "github.com/containernetworking/cni/pkg/types/100"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/apply"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/config"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
)

func add(args *skel.CmdArgs) error {
	if reason := config.NotReadyReason(args.StdinData, config.DefaultsPath); reason != "" {
		return types.NewError(types.ErrTryAgainLater, reason, "")
	}
	c, err := newCall(args)
	if err != nil {
		return err
	}
	if c.cfg.Mode == config.ModeDisabled {
		return types.PrintResult(c.cfg.Prev, c.cfg.CNIVersion)
	}
	kernel, err := c.kernel()
	if err != nil {
		return err
	}
	made, err := c.connect(kernel)
	if err != nil {
		return err
	}
	return types.PrintResult(c.result(made), c.cfg.CNIVersion)
}

// connect brings pod and node to what the configuration says.
func (c *call) connect(kernel *apply.Kernel) (*plan.Plan, error) {
	found, err := facts.Read(kernel.Pod, kernel.Host, c.query())
	if err != nil {
		return nil, c.fail(codeNetwork, err)
	}
	made, err := plan.Add(found, c.req)
	if err != nil {
		return nil, c.fail(types.ErrInvalidNetworkConfig, err)
	}
	c.tell(made.Warnings)
	if err := c.detect(kernel, found); err != nil {
		return nil, err
	}
	kernel.Know(found)
	if err := kernel.Run(made.Ops); err != nil {
		return nil, c.fail(codeNetwork, fmt.Errorf("%w; everything done before was taken back; "+
			"section \"When ADD fails\" of docs/coordinator.md says what to check", err))
	}
	if made.Announce || c.cfg.DetectConflict {
		if err := kernel.Announce(c.args.IfName, plan.Own(found, c.req)); err != nil {
			c.tell([]string{"neighbours were not told the hardware address: " + err.Error()})
		}
	}
	return made, nil
}

// detect asks the network, where it is configured, before anything is changed or announced.
func (c *call) detect(kernel *apply.Kernel, found *facts.Facts) error {
	wanted := plan.Detection(found, c.req)
	if len(wanted.Own)+len(wanted.Gateways) == 0 {
		return nil
	}
	err := kernel.Detect(apply.Detection{
		Dev: c.args.IfName, Own: wanted.Own, Gateways: wanted.Gateways, Sources: plan.Own(found, c.req),
	})
	if err != nil {
		return c.fail(codeDetected, err)
	}
	return nil
}

// result adds the leg to the interfaces of the previous result, behind them, so that the numbers
// which its addresses refer to stay right.
//
// veth0 is named without its namespace: versions of Multus up to 4.0 write the last interface with
// a namespace into the pod's network-status, and that must stay the interface of the network.
func (c *call) result(made *plan.Plan) *current.Result {
	result := c.cfg.Prev
	for _, known := range result.Interfaces {
		if known.Name == c.args.IfName && known.Sandbox != "" && made.MAC != "" {
			known.Mac = made.MAC
		}
	}
	if leg := made.Leg; leg.Private {
		result.Interfaces = append(result.Interfaces,
			&current.Interface{Name: leg.HostDev, Mac: leg.HostMAC},
			&current.Interface{Name: leg.PodDev, Mac: leg.PodMAC})
	}
	return result
}
