// mesh-proxy stands for the proxy of a mesh, and for those who talk through it, where Envoy or
// ztunnel cannot be had. What matters for a pod's network it does as they do: it learns the original
// destination from the kernel, connects there itself with the user or the mark that Istio's rules
// let pass, and with the source address that each of them uses. What it does not do is anything
// about the bytes, save a line that says it was there.
//
// Usage:
//
//	mesh-proxy proxy -name NAME -as sidecar|tproxy|ambient [-peers PREFIX] [-service VIP:PORT=ADDRESS:PORT]
//	mesh-proxy node -socket PATH [-peers PREFIX]
//	mesh-proxy app PORT...
//	mesh-proxy ask [-timeout 1s] [-from ADDRESS] ADDRESS:PORT
package main

import (
	"errors"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "mesh-proxy: %v\n", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) == 0 {
		return errors.New("usage: mesh-proxy proxy | node | app | ask, each with its arguments")
	}
	switch arguments[0] {
	case "proxy":
		return runProxy(arguments[1:])
	case "node":
		return runNode(arguments[1:])
	case "app":
		return runApp(arguments[1:])
	case "ask":
		return runAsk(arguments[1:], os.Stdout)
	}
	return fmt.Errorf("%q is no command: proxy, node, app or ask", arguments[0])
}
