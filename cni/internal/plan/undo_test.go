package plan

import (
	"fmt"
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// undoOf is the action that brings back the observed state of the object that an action changes; nil
// where it is deleted with its link, shared with other pods, or unknown.
func undoOf(observed *facts.Facts, do Action) Action {
	switch a := do.(type) {
	case AddVeth:
		return DropLink{facts.Host, a.Host}
	case SetMTU, SetMAC, SetTxQLen, SetUp:
		return undoOfLink(observed, do)
	case SetSysctl:
		if value, ok := observed.Of(a.Side).Sysctls[a.Key]; ok {
			return SetSysctl{a.Side, a.Key, value}
		}
	case PutAddr:
		return DropAddr(a)
	case AddRoute:
		return DropRoute(a)
	case DropRoute:
		return AddRoute(a)
	case PutRoute:
		for _, r := range slices.Concat(observed.Of(a.Side).Routes, observed.Of(a.Side).Typed()) {
			if r.Table == a.Route.Table && r.Dst == a.Route.Dst && r.Metric == a.Route.Metric {
				return PutRoute{Side: a.Side, Route: r}
			}
		}
		return DropRoute{a.Side, a.Route}
	case PutRule:
		if a.Side == facts.Pod {
			return DropRule(a)
		}
	case PutNeigh:
		if i := slices.IndexFunc(observed.Of(a.Side).Neighs, func(n facts.Neigh) bool {
			return n.Permanent && n.Dev == a.Neigh.Dev && n.IP == a.Neigh.IP
		}); i >= 0 {
			return PutNeigh{a.Side, observed.Of(a.Side).Neighs[i]}
		}
		return DropNeigh(a)
	case DropNeigh:
		if a.Neigh.Permanent {
			return PutNeigh(a)
		}
	case PutMarks:
		if !a.Replace {
			return DropMarks{a.Family}
		}
	}
	return nil
}

func undoOfLink(observed *facts.Facts, do Action) Action {
	switch a := do.(type) {
	case SetMTU:
		link, _ := observed.Of(a.Side).Link(a.Dev)
		return SetMTU{a.Side, a.Dev, link.MTU}
	case SetMAC:
		link, _ := observed.Of(a.Side).Link(a.Dev)
		return SetMAC{a.Side, a.Dev, link.MAC}
	case SetTxQLen:
		link, _ := observed.Of(a.Side).Link(a.Dev)
		return SetTxQLen{a.Side, a.Dev, link.TxQLen}
	case SetUp:
		if _, ok := observed.Of(a.Side).Link(a.Dev); ok {
			return SetUp{a.Side, a.Dev, false}
		}
	}
	return nil
}

// objectOf names the kernel's object that an action changes, by the kernel's own key of it. Default
// routes of several interfaces are beside each other in a table: AddRoute and DropRoute take one of them.
func objectOf(do Action) string {
	switch a := do.(type) {
	case PutRoute:
		return fmt.Sprintf("route %v %d %s %d", a.Side, a.Route.Table, a.Route.Dst, a.Route.Metric)
	case AddRoute:
		return fmt.Sprintf("route %v %+v", a.Side, a.Route)
	case DropRoute:
		return fmt.Sprintf("route %v %+v", a.Side, a.Route)
	case PutNeigh:
		return fmt.Sprintf("neighbour %v %s %s", a.Side, a.Neigh.Dev, a.Neigh.IP)
	case DropNeigh:
		return fmt.Sprintf("neighbour %v %s %s", a.Side, a.Neigh.Dev, a.Neigh.IP)
	case SetSysctl:
		return fmt.Sprintf("sysctl %v %s", a.Side, a.Key)
	case PutMarks:
		return fmt.Sprintf("marks %s", a.Family)
	}
	return do.String()
}
