package main

import (
	"fmt"
	"os"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/interfaces"
)

// reportInterfaces writes the node's interfaces and CNI plugins into the termination message that kubelet reads. It
// is best effort: a failure is logged and does not fail the installation.
func reportInterfaces(target, pluginDir string) {
	if err := writeInterfaces(target, pluginDir); err != nil {
		fmt.Fprintln(os.Stderr, "coordinator-install: the operator will not know this node's interfaces:", err)
	}
}

func writeInterfaces(target, pluginDir string) error {
	host, err := facts.OpenCurrent()
	if err != nil {
		return err
	}
	links, err := host.Links()
	if err != nil {
		return err
	}
	report, err := interfaces.Describe(links)
	if err != nil {
		return err
	}
	report.Plugins = interfaces.Plugins(pluginDir)
	text, err := report.Text(interfaces.Limit)
	if err != nil {
		return err
	}
	return os.WriteFile(target, text, 0o644)
}
