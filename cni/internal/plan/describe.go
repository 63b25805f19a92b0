package plan

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// The descriptions follow the words of ip(8), so that an administrator can type what he reads.

func (a AddVeth) String() string {
	return fmt.Sprintf("create the veth pair %s (pod) and %s (node) with MTU %d", a.Pod, a.Host, a.MTU)
}

func (a DropLink) String() string { return fmt.Sprintf("delete link %s of the %s", a.Dev, a.Side) }

func (a SetAlias) String() string {
	return fmt.Sprintf("set the alias of %s of the %s to %q", a.Dev, a.Side, a.Alias)
}

func (a SetMTU) String() string {
	return fmt.Sprintf("set the MTU of %s of the %s to %d", a.Dev, a.Side, a.MTU)
}

func (a SetMAC) String() string {
	return fmt.Sprintf("set the MAC address of %s of the %s to %s", a.Dev, a.Side, a.MAC)
}

func (a SetUp) String() string {
	state := "down"
	if a.Up {
		state = "up"
	}
	return fmt.Sprintf("set link %s of the %s %s", a.Dev, a.Side, state)
}

func (a SetTxQLen) String() string {
	return fmt.Sprintf("set the txqueuelen of %s of the %s to %d", a.Dev, a.Side, a.Len)
}

func (a SetSysctl) String() string {
	return fmt.Sprintf("set sysctl %s of the %s to %s", strings.ReplaceAll(a.Key, "/", "."), a.Side, a.Value)
}

func (a PutAddr) String() string {
	return fmt.Sprintf("add address %s to %s of the %s", a.Addr.Prefix, a.Addr.Dev, a.Side)
}

func (a AwaitAddr) String() string {
	return fmt.Sprintf("wait until address %s of %s of the %s is no longer tentative", a.IP, a.Dev, a.Side)
}

func (a DropAddr) String() string {
	return fmt.Sprintf("delete address %s of %s of the %s", a.Addr.Prefix, a.Addr.Dev, a.Side)
}

func (a PutRoute) String() string {
	return fmt.Sprintf("add route %s to the %s", describeRoute(a.Route), a.Side)
}

func (a AddRoute) String() string {
	return fmt.Sprintf("add route %s to the %s", describeRoute(a.Route), a.Side)
}

func (a DropRoute) String() string {
	return fmt.Sprintf("delete route %s of the %s", describeRoute(a.Route), a.Side)
}

func (a PutRule) String() string {
	return fmt.Sprintf("add %s rule %s to the %s", a.Rule.Family, describeRule(a.Rule), a.Side)
}

func (a DropRule) String() string {
	return fmt.Sprintf("delete %s rule %s of the %s", a.Rule.Family, describeRule(a.Rule), a.Side)
}

func (a PutNeigh) String() string {
	return fmt.Sprintf("add permanent neighbour %s lladdr %s dev %s to the %s", a.Neigh.IP, a.Neigh.MAC, a.Neigh.Dev, a.Side)
}

func (a DropNeigh) String() string {
	return fmt.Sprintf("delete neighbour %s dev %s of the %s", a.Neigh.IP, a.Neigh.Dev, a.Side)
}

func (a PutMarks) String() string {
	return fmt.Sprintf("write the nftables table %s %s in the pod", nftFamily(a.Family), facts.MarkTable)
}

func (a DropMarks) String() string {
	return fmt.Sprintf("delete the nftables table %s %s of the pod", nftFamily(a.Family), facts.MarkTable)
}

func nftFamily(family facts.Family) string {
	if family == facts.V6 {
		return "ip6"
	}
	return "ip"
}

// RouteWords are the words by which ip(8) knows a route.
func RouteWords(r facts.Route) string {
	words := describeRoute(r)
	if r.Metric > 0 && r.Metric != facts.MetricIPv6 {
		words += fmt.Sprintf(" metric %d", r.Metric)
	}
	return words
}

// RuleWords are the words by which ip(8) knows a rule.
func RuleWords(r facts.Rule) string { return describeRule(r) }

// routeTypes are the names of the types that lead nowhere, by their numbers in the kernel (rtnetlink(7)).
var routeTypes = map[int]string{
	unix.RTN_BLACKHOLE: "blackhole", unix.RTN_UNREACHABLE: "unreachable", unix.RTN_PROHIBIT: "prohibit", unix.RTN_THROW: "throw",
}

func describeRoute(r facts.Route) string {
	var text strings.Builder
	if name := routeTypes[r.Type]; name != "" {
		text.WriteString(name + " ")
	}
	if r.IsDefault() {
		text.WriteString("default")
	} else {
		text.WriteString(r.Dst.String())
	}
	if r.Gw.IsValid() {
		fmt.Fprintf(&text, " via %s", r.Gw)
	}
	if r.Dev != "" {
		fmt.Fprintf(&text, " dev %s", r.Dev)
	}
	if r.Type != 0 && r.Metric != 0 {
		fmt.Fprintf(&text, " metric %d", r.Metric)
	}
	if r.Src.IsValid() {
		fmt.Fprintf(&text, " src %s", r.Src)
	}
	if r.Table == facts.TableMain {
		text.WriteString(" table main")
	} else {
		fmt.Fprintf(&text, " table %d", r.Table)
	}
	return text.String()
}

func describeRule(r facts.Rule) string {
	var text strings.Builder
	fmt.Fprintf(&text, "pref %d from ", r.Priority)
	if r.Src.IsValid() {
		text.WriteString(r.Src.String())
	} else {
		text.WriteString("all")
	}
	if r.Mark != 0 {
		fmt.Fprintf(&text, " fwmark %#x/%#x", r.Mark, r.Mask)
	}
	fmt.Fprintf(&text, " lookup %d", r.Table)
	return text.String()
}
