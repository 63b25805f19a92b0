// istio-iptables is Istio's own programmer of a sidecar's traffic redirection, built from Istio's
// Go module because its image cannot be pulled where the testbed runs. The rules in the pod's
// network namespace are therefore the real ones, not a copy of them.
//
// It calls the iptables binaries of the machine and works on the network namespace that it runs in.
package main

import (
	"fmt"
	"os"

	"istio.io/istio/pkg/log"
	"istio.io/istio/tools/istio-iptables/pkg/cmd"
)

func main() {
	if err := cmd.GetCommand(log.DefaultOptions()).Execute(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
