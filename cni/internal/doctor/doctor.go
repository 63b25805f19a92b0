// Package doctor inspects a node and reports what breaks pods' traffic, or will. It decides from facts
// and changes nothing: settings of the node are the administrator's.
package doctor

import (
	"fmt"
	"io"
	"net/netip"

	current "github.com/containernetworking/cni/pkg/types/100"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/install"
)

// Level says how bad a finding is.
type Level string

// The levels, worst first.
const (
	Error   Level = "ERROR"   // pods of this node are not served
	Warning Level = "WARNING" // some traffic fails, or will
	Note    Level = "NOTE"    // worth to know when something fails
	Unseen  Level = "UNSEEN"  // could not be looked at
)

// Finding is one line of the report.
type Finding struct {
	Level   Level
	Subject string // the object: link, route, rule, sysctl, file
	Value   string // its observed state
	Remedy  string // command or setting
}

func (f Finding) String() string {
	return fmt.Sprintf("%-8s %s: %s: %s", f.Level, f.Subject, f.Value, f.Remedy)
}

// Node is the observed state of a node.
type Node struct {
	State    *facts.NetnsState
	Kernel   string // its release
	Plugins  []Plugin
	Defaults Defaults
	// LinkManagers are the programs of the node that configure links.
	LinkManagers []LinkManager
	// Containers holds the containers that the runtime has networks for; nil when that cannot be seen.
	Containers map[string]bool
	// Results are those of the plugins, by container and interface.
	Results map[string]*current.Result
	// Pods are the pods' own sides; PodsErr says why they could not be looked at.
	Pods    []Pod
	PodsErr error
	// Names are the pods of containers, as namespace/name.
	Names map[string]string
	// Ways holds the device that the node's routing gives for each address of a pod; empty: none.
	Ways map[netip.Addr]string
	// Firewall is the node's; FirewallErr says why it could not be read.
	Firewall    facts.Firewall
	FirewallErr error
	// HostFiles says that the node's files could be looked at.
	HostFiles bool
}

// Plugin is the observed state of a plugin's file on the node.
type Plugin struct {
	Name   string
	Target string // its path
	State  install.State
	Err    error  // why it could not be looked at
	Backup string // path of the backup of another product's plugin; empty for none
}

// Defaults is the node's defaults file.
type Defaults struct {
	Path     string
	Err      error // why it cannot be read or used
	Missing  bool
	Stale    bool // differs from what the cluster says
	NotReady string
	Table    int            // hostRuleTable
	CIDRs    []netip.Prefix // pod and service networks, which pods reach by their node
	PodCIDRs []netip.Prefix // the pods' among them
}

// LinkManager is a program that configures links by itself.
type LinkManager struct {
	Name      string
	Unmanaged bool // its configuration excludes host veths
	// RemovesForeign: it removes routes and rules of other programs when it is restarted.
	RemovesForeign bool
	File           string // where to put the file of cni/host-config
}

// Check returns the findings in the order in which to work through them.
func Check(node Node) []Finding {
	var findings []Finding
	for _, check := range []func(Node) []Finding{
		kernel, plugins, defaults, sysctls, rules, ways, routes, staleState, links, pods, firewall, uplinks, tunnels, linkManagers, datapaths, unobservable,
	} {
		findings = append(findings, check(node)...)
	}
	return findings
}

// kernel reports a kernel that the plugin refuses.
func kernel(node Node) []Finding {
	if err := facts.CheckKernel(node.Kernel); err != nil {
		return []Finding{{Error, "kernel", node.Kernel, err.Error()}}
	}
	return nil
}

// Report writes one line for each finding and a last one that counts them; it returns the exit code,
// which is 1 when there is an error.
func Report(out io.Writer, findings []Finding) int {
	count := map[Level]int{}
	for _, finding := range findings {
		count[finding.Level]++
		_, _ = fmt.Fprintln(out, finding)
	}
	_, _ = fmt.Fprintf(out, "doctor: %s, %s, %s, %s that cannot be seen from here\n", counted(count[Error], "error"),
		counted(count[Warning], "warning"), counted(count[Note], "note"), counted(count[Unseen], "thing"))
	if count[Error] > 0 {
		return 1
	}
	return 0
}

// counted is a number with what it is a number of: "1 note", "2 notes".
func counted(number int, noun string) string {
	if number == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", number, noun)
}

// coordinatorVeths are the host veths of pods, by name.
func coordinatorVeths(host *facts.NetnsState) map[string]facts.Link {
	veths := map[string]facts.Link{}
	for _, link := range host.Links {
		if _, ok := vethOwner(link); ok {
			veths[link.Name] = link
		}
	}
	return veths
}

// podRoutes are the routes to pods.
func podRoutes(host *facts.NetnsState) []facts.Route {
	var routes []facts.Route
	for _, route := range host.Routes {
		if route.IsToPod() {
			routes = append(routes, route)
		}
	}
	return routes
}

func familiesOf(routes []facts.Route) map[facts.Family]bool {
	families := map[facts.Family]bool{}
	for _, route := range routes {
		families[route.Family()] = true
	}
	return families
}

func unmap(prefix netip.Prefix) netip.Addr { return prefix.Addr().Unmap() }
