// multus-standin is a small CNI meta plugin that takes the place of Multus in the testbed, where the
// real one cannot be installed. It reads the pod's network annotations, runs the plugins of the
// NetworkAttachmentDefinitions that they name, and writes the network-status annotation back.
//
// It is not Multus. It follows the multi-network specification of the Kubernetes Network Plumbing
// Working Group (https://github.com/k8snetworkplumbingwg/multi-net-spec) as far as the testbed
// needs it and refuses what it does not know (default-route, ipam-claim-reference). README.md
// lists what it reads; on a cluster of your own install Multus.
package main

import (
	"context"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	"github.com/containernetworking/cni/pkg/version"

	"spidercoordinator/testbed/multus-standin/internal/attach"
	"spidercoordinator/testbed/multus-standin/internal/config"
)

func main() {
	skel.PluginMainFuncs(skel.CNIFuncs{
		Add:   add,
		Del:   func(args *skel.CmdArgs) error { return run(args, (*attach.Sandbox).Del) },
		Check: func(args *skel.CmdArgs) error { return run(args, (*attach.Sandbox).Check) },
	}, version.PluginSupports("0.3.0", "0.3.1", "0.4.0", "1.0.0"), "multus-standin: the testbed's stand-in for Multus")
}

func add(args *skel.CmdArgs) error {
	conf, err := config.Parse(args.StdinData)
	if err != nil {
		return err
	}
	result, err := attach.New(conf, args).Add(context.Background())
	if err != nil {
		return err
	}
	return types.PrintResult(result, conf.CNIVersion)
}

func run(args *skel.CmdArgs, command func(*attach.Sandbox, context.Context) error) error {
	conf, err := config.Parse(args.StdinData)
	if err != nil {
		return err
	}
	return command(attach.New(conf, args), context.Background())
}
