package main

import (
	"fmt"
	"os"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/interfaces"
)

// reportInterfaces writes the node's interfaces where kubelet looks for them. Nothing depends on them:
// that they cannot be told is no reason to fail.
func reportInterfaces(target string) {
	if err := writeInterfaces(target); err != nil {
		fmt.Fprintln(os.Stderr, "coordinator-install: the operator will not know this node's interfaces:", err)
	}
}

func writeInterfaces(target string) error {
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
	text, err := report.Text(interfaces.Limit)
	if err != nil {
		return err
	}
	return os.WriteFile(target, text, 0o644)
}
