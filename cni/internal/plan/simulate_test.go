package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// simulate does to facts what the kernel would do to the state they describe.
func simulate(f *facts.Facts, action Action) {
	switch a := action.(type) {
	case AddVeth:
		addVeth(f, a)
	case DropLink:
		dropLink(f, a)
	case SetAlias, SetMTU, SetMAC, SetUp, SetTxQLen:
		setLink(f, action)
	case SetSysctl:
		f.Of(a.Side).Sysctls[a.Key] = a.Value
	case PutAddr:
		f.Of(a.Side).Addrs = append(f.Of(a.Side).Addrs, a.Addr)
	case DropAddr:
		f.Of(a.Side).Addrs = without(f.Of(a.Side).Addrs, a.Addr)
	case PutRoute:
		putRoute(f.Of(a.Side), a.Route)
	case AddRoute:
		f.Of(a.Side).Routes = append(f.Of(a.Side).Routes, a.Route)
	case DropRoute:
		f.Of(a.Side).Routes = without(f.Of(a.Side).Routes, a.Route)
	case PutRule:
		f.Of(a.Side).Rules = append(f.Of(a.Side).Rules, a.Rule)
	case DropRule:
		f.Of(a.Side).Rules = without(f.Of(a.Side).Rules, a.Rule)
	case PutNeigh:
		putNeigh(f.Of(a.Side), a.Neigh)
	case DropNeigh:
		f.Of(a.Side).Neighs = without(f.Of(a.Side).Neighs, a.Neigh)
	case PutMarks:
		f.Pod.Marks[a.Family] = facts.MarksComplete
	case DropMarks:
		f.Pod.Marks[a.Family] = facts.MarksAbsent
	default:
		panic(fmt.Sprintf("cannot simulate %T", action))
	}
}

// setLink changes one attribute of a link.
func setLink(f *facts.Facts, action Action) {
	switch a := action.(type) {
	case SetAlias:
		onLink(f, a.Side, a.Dev, func(l *facts.Link) { l.Alias = a.Alias })
	case SetMTU:
		onLink(f, a.Side, a.Dev, func(l *facts.Link) { l.MTU = a.MTU })
	case SetMAC:
		onLink(f, a.Side, a.Dev, func(l *facts.Link) { l.MAC = a.MAC })
	case SetUp:
		onLink(f, a.Side, a.Dev, func(l *facts.Link) { l.Up = a.Up })
	case SetTxQLen:
		onLink(f, a.Side, a.Dev, func(l *facts.Link) { l.TxQLen = a.Len })
	}
}

func addVeth(f *facts.Facts, a AddVeth) {
	index := 100 + len(f.Host.Links)
	f.Pod.Links = append(f.Pod.Links, facts.Link{
		Index: 90, Peer: index, Name: a.Pod, Kind: "veth", MAC: a.PodMAC, MTU: a.MTU, TxQLen: 1000,
	})
	f.Host.Links = append(f.Host.Links, facts.Link{
		Index: index, Peer: 90, Name: a.Host, Kind: "veth", MAC: a.HostMAC, MTU: a.MTU, TxQLen: 1000,
	})
	for key, value := range map[string]string{facts.RPFilter(a.Host): "1", facts.SysctlV6(a.Host, "accept_ra"): "1"} {
		f.Host.Sysctls[key] = value
	}
	for key, value := range map[string]string{
		facts.RPFilter(a.Pod): f.Pod.Sysctls[facts.RPFilter("default")], facts.SysctlV6(a.Pod, "disable_ipv6"): "0",
		facts.SysctlV6(a.Pod, "addr_gen_mode"): "0",
	} {
		f.Pod.Sysctls[key] = value
	}
}

func onLink(f *facts.Facts, side facts.Side, dev string, change func(*facts.Link)) {
	for i := range f.Of(side).Links {
		if f.Of(side).Links[i].Name == dev {
			change(&f.Of(side).Links[i])
			return
		}
	}
	panic(fmt.Sprintf("no link %s on the %s", dev, side))
}

// dropLink deletes a veth's node end: the pod's end and all that hangs on both go with it.
func dropLink(f *facts.Facts, a DropLink) {
	for _, side := range []facts.Side{facts.Host, facts.Pod} {
		dev, space := a.Dev, f.Of(side)
		if side == facts.Pod {
			dev = facts.PodVeth
		}
		space.Links = slices.DeleteFunc(space.Links, func(l facts.Link) bool { return l.Name == dev })
		space.Addrs = slices.DeleteFunc(space.Addrs, func(x facts.Addr) bool { return x.Dev == dev })
		space.Routes = slices.DeleteFunc(space.Routes, func(x facts.Route) bool { return x.Dev == dev })
		space.Neighs = slices.DeleteFunc(space.Neighs, func(x facts.Neigh) bool { return x.Dev == dev })
		maps.DeleteFunc(space.Sysctls, func(key, _ string) bool { return key == facts.RPFilter(dev) || belongsTo(key, dev) })
	}
}

func belongsTo(key, dev string) bool {
	for _, name := range []string{"disable_ipv6", "addr_gen_mode", "accept_ra"} {
		if key == facts.SysctlV6(dev, name) {
			return true
		}
	}
	return false
}

// putRoute replaces the route with the same key, as NLM_F_REPLACE does.
func putRoute(space *facts.NetnsState, route facts.Route) {
	for i, found := range space.Routes {
		if found.Table == route.Table && found.Dst == route.Dst && found.Metric == route.Metric {
			space.Routes[i] = route
			return
		}
	}
	space.Routes = append(space.Routes, route)
}

func putNeigh(space *facts.NetnsState, neigh facts.Neigh) {
	for i, found := range space.Neighs {
		if found.Dev == neigh.Dev && found.IP == neigh.IP {
			space.Neighs[i] = neigh
			return
		}
	}
	space.Neighs = append(space.Neighs, neigh)
}

func without[T comparable](list []T, item T) []T {
	index := slices.Index(list, item)
	if index < 0 {
		panic(fmt.Sprintf("not there: %+v", item))
	}
	return slices.Delete(slices.Clone(list), index, index+1)
}

func copyOf(f *facts.Facts) *facts.Facts {
	made := *f
	for _, pair := range []struct{ to, from *facts.NetnsState }{{&made.Pod, &f.Pod}, {&made.Host, &f.Host}} {
		*pair.to = facts.NetnsState{
			Links: slices.Clone(pair.from.Links), Addrs: slices.Clone(pair.from.Addrs), Routes: slices.Clone(pair.from.Routes),
			Rules: slices.Clone(pair.from.Rules), Neighs: slices.Clone(pair.from.Neighs),
			Sysctls: maps.Clone(pair.from.Sysctls), Marks: maps.Clone(pair.from.Marks),
		}
	}
	return &made
}

// canonical prints a state so that the order of its parts does not matter. Absent marks and no
// entry are the same.
func canonical(f *facts.Facts) []string {
	var lines []string
	for _, side := range []facts.Side{facts.Pod, facts.Host} {
		space := f.Of(side)
		add := func(item any) { lines = append(lines, fmt.Sprintf("%s %T %+v", side, item, item)) }
		for _, x := range space.Links {
			add(x)
		}
		for _, x := range space.Addrs {
			add(x)
		}
		for _, x := range space.Routes {
			add(x)
		}
		for _, x := range space.Rules {
			if side == facts.Pod || x.Priority != PriorityHost { // the node's rule is shared and stays
				add(x)
			}
		}
		for _, x := range space.Neighs {
			add(x)
		}
		for key, value := range space.Sysctls {
			add(key + "=" + value)
		}
		for family, state := range space.Marks {
			if state != facts.MarksAbsent {
				add(fmt.Sprint(family, state))
			}
		}
	}
	slices.SortFunc(lines, cmp.Compare[string])
	return lines
}
