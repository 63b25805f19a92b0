package plan

import (
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// FirstTable is where private tables start, away from those of meshes (100) and of the sbr plugin
// (100 and up). A table that another program uses is skipped.
const FirstTable = 5000

const markTableOwner = "mark"

// table returns the private routing table of an owner: the one that a rule of this plugin
// looks up already, else the one with routes of this plugin that lost its rule, else the first unused one.
func (a *adder) table(owner string) int {
	if table, ok := a.tables[owner]; ok {
		return table
	}
	table := a.existingTable(owner)
	if table == 0 {
		table = a.freeTable(owner)
	}
	a.tables[owner] = table
	return table
}

func (a *adder) existingTable(owner string) int {
	for _, rule := range a.facts.Pod.Rules {
		if rule.Proto != facts.Proto || rule.Foreign {
			continue
		}
		if owner == markTableOwner {
			if rule.Mark == facts.MarkBit && rule.Mask == facts.MarkBit {
				return rule.Table
			}
			continue
		}
		if rule.Src.IsValid() && slices.Contains(a.req.addresses(a.facts, owner, rule.Family), rule.Src.Addr()) {
			return rule.Table
		}
	}
	for _, route := range a.facts.Pod.Routes {
		if route.Proto == facts.Proto && route.Table >= FirstTable && route.Dev == a.veth.PodDev && a.madeFor(owner, route) {
			return route.Table
		}
	}
	return 0
}

// madeFor says whether a route by the node is one of an owner's table: for marks it is a default route, and
// for an interface one with its address as source.
func (a *adder) madeFor(owner string, route facts.Route) bool {
	if owner == markTableOwner {
		return a.veth.AddedByCoordinator && route.IsDefault()
	}
	return !route.IsDefault() && slices.Contains(a.req.addresses(a.facts, owner, route.Family()), route.Src)
}

func (a *adder) freeTable(owner string) int {
	inUse := map[int]bool{}
	for _, rule := range a.facts.Pod.Rules {
		inUse[rule.Table] = true
	}
	for _, route := range slices.Concat(a.facts.Pod.Routes, a.facts.Pod.Special) {
		inUse[route.Table] = true
	}
	for _, table := range a.tables {
		inUse[table] = true
	}
	table := FirstTable
	if owner != markTableOwner {
		table++ // the first one is reserved for marks, so that tables have the same numbers in every pod
	}
	for inUse[table] {
		table++
	}
	return table
}
