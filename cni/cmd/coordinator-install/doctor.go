package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/config"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/doctor"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/install"
)

// runDoctor inspects the node and reports findings; it needs no capability, only the node's network.
// Its flags default to the paths in the installer's pod.
func runDoctor(arguments []string) int {
	installer := &install.Installer{}
	flags := flag.NewFlagSet("coordinator-install doctor", flag.ContinueOnError)
	pathFlags(flags, installer, "/etc/spidercoordinator/node-defaults/coordinator.json")
	hostRoot := flags.String("host-root", "", "directory in which the node's files are, / on the node itself; without it less is seen")
	if err := flags.Parse(arguments); err != nil || flags.NArg() > 0 {
		return 2
	}
	if *hostRoot != "" {
		useNodePaths(flags, installer, *hostRoot)
	}
	node, err := doctor.Read(installer, *hostRoot)
	if err != nil {
		fmt.Fprintln(os.Stderr, "coordinator-install: doctor:", err)
		return 1
	}
	return doctor.Report(os.Stdout, doctor.Check(node))
}

// useNodePaths sets the paths of a node for flags that are not given.
func useNodePaths(flags *flag.FlagSet, installer *install.Installer, root string) {
	setFlags := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { setFlags[f.Name] = true })
	if !setFlags["target-dir"] {
		installer.TargetDir = filepath.Join(root, "opt/cni/bin")
	}
	if !setFlags["defaults-target"] {
		installer.DefaultsTarget = filepath.Join(root, config.DefaultsPath)
	}
}
