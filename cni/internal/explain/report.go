// Package explain describes the network of a pod, from inside it, for `spidercoordinator explain`:
// what is there, and no judgement, which is the reader's.
//
// The report is JSON; operator/spidercoordinator/core/checks/podreport.py reads it, and
// cni/internal/explain/testdata/report.json is one that both sides test.
package explain

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// Report is the network of a pod.
type Report struct {
	Interfaces []Interface       `json:"interfaces"`
	Routes     []Route           `json:"routes"`
	Rules      []Rule            `json:"rules"`
	Neighbours []Neighbour       `json:"neighbours"`
	Sysctls    map[string]string `json:"sysctls"`
	// Marks says of each family (IPv4, IPv6) whether this plugin's nftables table is absent, broken or
	// complete; empty where that could not be seen.
	Marks map[string]string `json:"marks"`
	// Redirects are rules that send a connection to a port of the pod, as meshes have them.
	Redirects []Redirect `json:"redirects"`
	// Unseen is why marks and redirects could not be read; empty when they were.
	Unseen string `json:"unseen"`
}

// Interface is a network interface with its addresses.
type Interface struct {
	Name      string   `json:"name"`
	Kind      string   `json:"kind"`
	Up        bool     `json:"up"`
	MAC       string   `json:"mac"`
	MTU       int      `json:"mtu"`
	Addresses []string `json:"addresses"`
}

// Route is a route; via is empty where the destination is on the link.
type Route struct {
	Table int    `json:"table"`
	To    string `json:"to"`
	Via   string `json:"via"`
	Dev   string `json:"dev"`
	Own   bool   `json:"own"` // of this plugin
}

// Rule is a routing policy rule; from is empty for all, mark and mask are 0 for none.
type Rule struct {
	Family   string `json:"family"`
	Priority int    `json:"priority"`
	From     string `json:"from"`
	Mark     uint32 `json:"mark"`
	Mask     uint32 `json:"mask"`
	Table    int    `json:"table"`
	Own      bool   `json:"own"`
}

// Neighbour is a neighbour entry.
type Neighbour struct {
	Dev string `json:"dev"`
	IP  string `json:"ip"`
	MAC string `json:"mac"`
}

// Redirect is a rule that sends connections to another port of the pod.
type Redirect struct {
	Family string `json:"family"`
	Table  string `json:"table"`
	Chain  string `json:"chain"`
	Kind   string `json:"kind"` // REDIRECT or TPROXY
}

// Describe makes the report of a state.
func Describe(state *facts.NetnsState, redirects []Redirect, unseen error) Report {
	report := Report{
		Interfaces: interfaces(state), Routes: routes(state), Rules: rules(state), Neighbours: []Neighbour{},
		Sysctls: state.Sysctls, Marks: map[string]string{}, Redirects: append([]Redirect{}, redirects...),
	}
	for _, each := range state.Neighs {
		report.Neighbours = append(report.Neighbours, Neighbour{each.Dev, each.IP.String(), each.MAC})
	}
	for family, found := range state.Marks {
		report.Marks[family.String()] = markState(found)
	}
	if unseen != nil {
		report.Unseen = unseen.Error()
	}
	return report
}

func markState(state facts.MarkState) string {
	switch state {
	case facts.MarksComplete:
		return "complete"
	case facts.MarksBroken:
		return "broken"
	default:
		return "absent"
	}
}

func interfaces(state *facts.NetnsState) []Interface {
	found := []Interface{}
	for _, link := range state.Links {
		each := Interface{Name: link.Name, Kind: link.Kind, Up: link.Up, MAC: link.MAC, MTU: link.MTU, Addresses: []string{}}
		for _, addr := range state.Addrs {
			if addr.Dev == link.Name {
				each.Addresses = append(each.Addresses, addr.Prefix.String())
			}
		}
		found = append(found, each)
	}
	return found
}

// routes leaves out the kernel's own of the table local, which every address has.
func routes(state *facts.NetnsState) []Route {
	found := []Route{}
	for _, route := range slices.Concat(state.Routes, state.Special) {
		if route.Table == facts.TableLocal {
			continue
		}
		found = append(found, Route{route.Table, route.Dst.String(), text(route.Gw), route.Dev, route.Proto == facts.Proto})
	}
	return found
}

func rules(state *facts.NetnsState) []Rule {
	found := []Rule{}
	for _, rule := range state.Rules {
		each := Rule{rule.Family.String(), rule.Priority, "", rule.Mark, rule.Mask, rule.Table, rule.Proto == facts.Proto}
		if rule.Src.IsValid() {
			each.From = rule.Src.String()
		}
		found = append(found, each)
	}
	return found
}

func text(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	return fmt.Sprint(addr)
}
