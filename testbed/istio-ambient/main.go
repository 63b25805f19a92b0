// istio-ambient runs Istio's own programmer of ambient mode's traffic redirection, built from Istio's
// Go module because its image cannot be pulled where the testbed runs. Istio's node agent calls the
// same functions for each pod that joins the mesh.
//
// It works on the network namespace that it runs in and calls the iptables binaries of the machine.
//
// Usage, in a pod's namespace:
//
//	istio-ambient [-ipv6] join      redirect the pod's traffic to ports 15001 and 15006
//	istio-ambient [-ipv6] leave     remove that again
//
// and in a node's, for the health probes of the pods with these addresses:
//
//	istio-ambient [-ipv6] probes ADDRESS...
//
// FORCE_IPTABLES_BINARY, nft or legacy, says which iptables to use. Istio's agent decides that once
// for a node; left to itself each run decides anew, and may look for rules where none were made.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"

	"istio.io/istio/cni/pkg/config"
	"istio.io/istio/cni/pkg/ipset"
	"istio.io/istio/cni/pkg/iptables"
	"istio.io/istio/pkg/log"
	"istio.io/istio/tools/istio-iptables/pkg/dependencies"
)

// Where Istio lets health probes come from; the defaults of its node agent.
var (
	probeSource  = netip.MustParseAddr("169.254.7.127")
	probeSource6 = netip.MustParseAddr("fd16:9254:7127:1337:ffff:ffff:ffff:ffff")
)

const protocolTCP = 6

func main() {
	ipv6 := flag.Bool("ipv6", false, "program IPv6 too")
	flag.Parse()
	if err := run(*ipv6, flag.Args()); err != nil {
		fmt.Fprintf(os.Stderr, "istio-ambient: %v\n", err)
		os.Exit(1)
	}
}

func run(ipv6 bool, arguments []string) error {
	if len(arguments) == 0 {
		return errors.New("usage: istio-ambient [-ipv6] join | leave | probes ADDRESS [ADDRESS]")
	}
	settings := &config.AmbientConfig{
		EnableIPv6: ipv6, HostProbeSNATAddress: probeSource, HostProbeV6SNATAddress: probeSource6,
	}
	machine := &dependencies.RealDependencies{
		UsePodScopedXtablesLock: true, ForceIptablesBinary: os.Getenv("FORCE_IPTABLES_BINARY"),
	}
	node, pod, err := iptables.NewIptablesConfigurator(settings, settings, machine, machine, iptables.RealNlDeps())
	if err != nil {
		return err
	}
	switch arguments[0] {
	case "join":
		return pod.CreateInpodRules(scope(), config.PodLevelOverrides{})
	case "leave":
		return pod.DeleteInpodRules(scope())
	case "probes":
		if err := selectPods(ipv6, arguments[1:]); err != nil {
			return err
		}
		return node.CreateHostRulesForHealthChecks()
	}
	return fmt.Errorf("%q is no command: join, leave or probes", arguments[0])
}

// selectPods fills the sets of addresses that the node's rule matches.
func selectPods(ipv6 bool, addresses []string) error {
	set, err := ipset.NewIPSet(config.ProbeIPSet, ipv6, ipset.RealNlDeps())
	if err != nil {
		return fmt.Errorf("ipset %s: %w", config.ProbeIPSet, err)
	}
	for _, text := range addresses {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return err
		}
		if err := set.AddIP(address, protocolTCP, "testbed", true); err != nil {
			return err
		}
	}
	return nil
}

func scope() *log.Scope { return log.FindScope(log.DefaultScopeName) }
