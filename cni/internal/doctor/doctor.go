// Package doctor looks at a node and says what will break pods' traffic, or has broken it. It decides
// from facts and changes nothing: what belongs to the node is the administrator's to change.
package doctor

import (
	"fmt"
	"io"
	"net/netip"

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
	Level Level
	What  string // the thing, as one finds it on the node
	Value string // how it is
	Do    string // what to do
}

func (f Finding) String() string {
	return fmt.Sprintf("%-8s %s: %s: %s", f.Level, f.What, f.Value, f.Do)
}

// Node is everything the findings are made from.
type Node struct {
	Space *facts.Space
	// Plugin and PluginErr tell of the plugin's file; Target is its path.
	Plugin    install.State
	PluginErr error
	Target    string
	Backup    string // path of another product's plugin that was put aside; empty for none
	Defaults  Defaults
	// Managers are the programs of the node that look after links.
	Managers []Manager
	// Known holds the containers that the runtime has networks for; nil when that cannot be seen.
	Known map[string]bool
	// HostFiles says that the node's files could be looked at.
	HostFiles bool
}

// Defaults is the node's defaults file.
type Defaults struct {
	Path     string
	Err      error // why it cannot be read or used
	Missing  bool
	Stale    bool // differs from what the cluster says
	NotReady string
	Table    int // hostRuleTable
}

// Manager is a program that configures links by itself.
type Manager struct {
	Name    string
	KeptOff bool   // a file says that it leaves veths alone
	File    string // the file of ours to put there
}

// Check returns the findings in the order in which one works through them.
func Check(node Node) []Finding {
	var found []Finding
	for _, check := range []func(Node) []Finding{
		plugin, defaults, settings, rules, routes, leftovers, links, managers, datapaths, blind,
	} {
		found = append(found, check(node)...)
	}
	return found
}

// Report writes one line for each finding and a last one that counts them; it returns the exit code,
// which is 1 when there is an error.
func Report(out io.Writer, found []Finding) int {
	count := map[Level]int{}
	for _, finding := range found {
		count[finding.Level]++
		_, _ = fmt.Fprintln(out, finding)
	}
	_, _ = fmt.Fprintf(out, "doctor: %d errors, %d warnings, %d notes, %d things that cannot be seen from here\n",
		count[Error], count[Warning], count[Note], count[Unseen])
	if count[Error] > 0 {
		return 1
	}
	return 0
}

// ownLinks are the node's ends of pods' veth pairs, by their name.
func ownLinks(space *facts.Space) map[string]facts.Link {
	found := map[string]facts.Link{}
	for _, link := range space.Links {
		if _, ours := owner(link); ours {
			found[link.Name] = link
		}
	}
	return found
}

// ownRoutes are the routes to pods.
func ownRoutes(space *facts.Space) []facts.Route {
	var found []facts.Route
	for _, route := range space.Routes {
		if route.Proto == facts.Proto && route.Dst.IsSingleIP() {
			found = append(found, route)
		}
	}
	return found
}

func familiesOf(routes []facts.Route) map[facts.Family]bool {
	found := map[facts.Family]bool{}
	for _, route := range routes {
		found[route.Family()] = true
	}
	return found
}

func unmap(prefix netip.Prefix) netip.Addr { return prefix.Addr().Unmap() }
