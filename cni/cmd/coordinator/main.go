// Command coordinator is a chained CNI plugin. It connects a pod with its node by a veth
// pair and adds the routes that let services, probes, hostPort and service meshes work on underlay
// interfaces.
//
// It runs once for each interface of a pod and exits: no agent, no socket, no API server, and no
// other program is started.
package main

import (
	"os"
	"runtime/debug"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/version"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/calls"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/counters"
)

var versions = version.PluginSupports("0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")

func main() {
	// A few milliseconds and megabytes in all: collecting garbage would only cost time.
	debug.SetGCPercent(-1)
	funcs := skel.CNIFuncs{Add: add, Del: del, Check: check, GC: gc, Status: status}
	os.Exit(calls.Main(counters.Coordinator, funcs, versions, "coordinator: the veth pair between underlay pods and their node"))
}
