// Command coordinator-install runs on every node: it puts the plugins coordinator and ifacer into the
// node's directory of CNI plugins, keeps the node's defaults file up to date, and reconciles both. As
// `coordinator-install doctor` it inspects the node and reports what will break pods' traffic, as
// `coordinator-install ready` it says whether the plugins are in place, as `coordinator-install explain`
// it describes the network of the pod that it runs in.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/counters"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/install"
)

// markInterval is how often the mark of an uninstall is looked for, which waits for what it leads to.
const markInterval = time.Second

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "doctor":
			os.Exit(runDoctor(os.Args[2:]))
		case "explain":
			os.Exit(runExplain(os.Args[2:]))
		case "ready":
			os.Exit(runReady(os.Args[2:]))
		}
	}
	// It is resident on every node: memory counts, latency does not.
	debug.SetGCPercent(20)
	installer := &install.Installer{}
	pathFlags(flag.CommandLine, installer, "")
	flag.BoolVar(&installer.ReplaceForeign, "replace-foreign", false, "back up and replace other products' plugins of the same names")
	flag.StringVar(&installer.UninstallMark, "uninstall-mark", "", "file that has a word in it while this product is being uninstalled: then the other products' plugins are restored")
	restore := flag.Bool("restore", false, "restore the other products' plugins now, and exit")
	restoresRules := flag.Bool("restore-rules", false, "add the node's rules to pods again when others delete them, and give its routes there another source when the node loses that address; needs the node's network and CAP_NET_ADMIN")
	once := flag.Bool("once", false, "install and exit")
	interfacesTarget := flag.String("interfaces-target", "", "with --once: file to write the names of the node's network interfaces and CNI plugins to, such as /dev/termination-log; needs the node's network")
	reportInterval := flag.Duration("report-interval", 0, "how often to look at what the node has (CNI plugins and the CNI versions they speak), which is logged when it changed; 0 for never")
	reportInterfaces := flag.Bool("report-interfaces", false, "with --report-interval: the node's network interfaces, too; needs the node's network")
	count := flag.Bool("count", false, "have the plugins count their calls in the file counters beside the defaults file; without it, that file is removed")
	interval := flag.Duration("interval", 10*time.Second, "resync interval")
	flag.Parse()
	if flag.NArg() > 0 || *interval <= 0 || *reportInterval < 0 {
		fmt.Fprintf(os.Stderr, "coordinator-install: takes flags only (or doctor, explain or ready as its first word), and an interval greater than zero, a report interval not below it; see --help\n")
		os.Exit(2)
	}
	tally := tally("")
	if !*restore {
		tally = prepared(tallyOf(installer), *count)
	}
	resync := installer.Sync
	if !*once {
		resync = residentResync(installer, tally, *restoresRules)
	}
	if !*once && !*restore && *reportInterval > 0 {
		report(nil, startReporter(installer, *reportInterfaces, *reportInterval))
	}
	status := serve(installer, resync, *once, *restore, *interval)
	if *once && status == 0 && *interfacesTarget != "" {
		writeMessage(*interfacesTarget, installer.TargetDir)
	}
	os.Exit(status)
}

// pathFlags defines the flags of the installer's paths.
func pathFlags(flags *flag.FlagSet, installer *install.Installer, defaultsSource string) {
	installer.Sources = []string{"/coordinator", "/ifacer"}
	given := false
	flags.Func("source", "a plugin to install; once for each (default /coordinator and /ifacer)", func(path string) error {
		if !given {
			installer.Sources, given = nil, true
		}
		installer.Sources = append(installer.Sources, path)
		return nil
	})
	flags.StringVar(&installer.TargetDir, "target-dir", "/host/cni-bin", "directory of the node's CNI plugins")
	flags.StringVar(&installer.DefaultsSource, "defaults-source", defaultsSource, "file with the cluster's effective configuration; it may be missing")
	flags.StringVar(&installer.DefaultsTarget, "defaults-target", "/host/state/defaults.json", "the node's defaults file")
}

// residentResync is the resync of the resident installer, which counts what it sets right.
func residentResync(installer *install.Installer, tally tally, restoresRules bool) func() ([]string, error) {
	installer.OnReplaced = func() { tally.repaired(counters.RepairPlugin) }
	if restoresRules {
		return tally.counting(withRules(installer.Sync, tally))
	}
	return tally.counting(installer.Sync)
}

// withRules restores the node's rules to pods, and the sources of its routes there, after each resync.
func withRules(sync func() ([]string, error), tally tally) func() ([]string, error) {
	host, openErr := facts.OpenCurrent()
	restorer := &restorer{host: host, tally: tally}
	return func() ([]string, error) {
		changed, err := sync()
		if openErr != nil {
			return changed, errors.Join(err, openErr)
		}
		restored, restoreErr := restorer.restore()
		return append(changed, restored...), errors.Join(err, restoreErr)
	}
}

func serve(
	installer *install.Installer, resync func() ([]string, error), once, restore bool, interval time.Duration,
) int {
	if restore {
		return report(installer.Restore())
	}
	installer.Clean()
	if once {
		return report(installer.Sync())
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	tick, look := time.NewTicker(interval), time.NewTicker(min(interval, markInterval))
	defer tick.Stop()
	defer look.Stop()
	lastError := ""
	for due := true; ; {
		if installer.Uninstalling() {
			// It ends: that is seen in the pod's status, so that the uninstall goes on when it is done.
			return report(installer.Restore())
		}
		if due {
			changed, err := resync()
			if text := fmt.Sprint(err); len(changed) > 0 || text != lastError {
				report(changed, err) // the same error is logged once
				lastError = text
			}
		}
		select {
		case <-tick.C:
			due = true
		case <-look.C:
			due = false
		case <-stop:
			// The plugins are not removed: without them the runtime could not delete the pods that use them.
			if installer.Uninstalling() {
				return report(installer.Restore())
			}
			return 0
		}
	}
}

func report(changed []string, err error) int {
	for _, line := range changed {
		fmt.Println("coordinator-install:", line)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "coordinator-install:", err)
		return 1
	}
	return 0
}
