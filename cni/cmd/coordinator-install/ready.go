package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/install"
)

// runReady is the readiness probe: it fails while a plugin of the node is not the one of the image.
func runReady(arguments []string) int {
	installer := &install.Installer{}
	flags := flag.NewFlagSet("coordinator-install ready", flag.ContinueOnError)
	pathFlags(flags, installer, "")
	if err := flags.Parse(arguments); err != nil || flags.NArg() > 0 {
		return 2
	}
	if err := installer.Ready(); err != nil {
		fmt.Fprintln(os.Stderr, "coordinator-install: not ready:", err)
		return 1
	}
	return 0
}
