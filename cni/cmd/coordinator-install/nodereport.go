package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/install"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/nodereport"
)

// versionDeadline is how long one plugin may take to say which CNI versions it speaks, with the little processor time
// that the container has.
const versionDeadline = 10 * time.Second

// writeMessage writes the node's interfaces and CNI plugins into the termination message that kubelet reads. It
// is best effort: a failure is logged and does not fail the installation.
func writeMessage(target, pluginDir string) {
	if err := tryWriteMessage(target, pluginDir); err != nil {
		fmt.Fprintln(os.Stderr, "coordinator-install: the operator will not know this node's interfaces:", err)
	}
}

func tryWriteMessage(target, pluginDir string) error {
	host, err := facts.OpenCurrent()
	if err != nil {
		return err
	}
	report, err := look(pluginDir, host)
	if err != nil {
		return err
	}
	report.Links = nil // there is room for names only
	text, err := report.Text(nodereport.MessageLimit)
	if err != nil {
		return err
	}
	return os.WriteFile(target, text, 0o644)
}

// reporterOf makes the reporter of the resident installer. Interfaces are only to be seen in the node's network.
func reporterOf(installer *install.Installer, interfaces bool) (*nodereport.Reporter, error) {
	var host *facts.Namespace
	if interfaces {
		opened, err := facts.OpenCurrent()
		if err != nil {
			return nil, err
		}
		host = opened
	}
	versions := &nodereport.Versions{
		Dir:      installer.TargetDir,
		Deadline: versionDeadline,
		Pending:  filepath.Join(filepath.Dir(installer.DefaultsTarget), "asked-plugins"),
	}
	return &nodereport.Reporter{Log: os.Stdout, Look: func() (nodereport.Report, error) {
		report, err := look(installer.TargetDir, host)
		if err == nil {
			report.Speaks = versions.Of(report.Plugins)
		}
		return report, err
	}}, nil
}

// startReporter reports what the node has beside everything else: a plugin that is slow to answer keeps nothing waiting.
func startReporter(installer *install.Installer, interfaces bool, interval time.Duration) error {
	reporter, err := reporterOf(installer, interfaces)
	if err != nil {
		return fmt.Errorf("the operator will not know what this node has: %w", err)
	}
	go reporter.Run(interval)
	return nil
}

// look gives what the node has; without a namespace nothing is known of its interfaces.
func look(pluginDir string, host *facts.Namespace) (report nodereport.Report, err error) {
	report.Plugins = nodereport.Plugins(pluginDir)
	if host == nil {
		return report, nil
	}
	links, err := host.Links()
	if err != nil {
		return report, err
	}
	return report, report.Describe(links)
}
