package plan

import (
	"net/netip"
	"testing"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

func TestRulesOfTablesWithRoutesToPodsAreRestored(t *testing.T) {
	route := func(dst string, table, proto int) facts.Route {
		return facts.Route{Dst: netip.MustParsePrefix(dst), Dev: "veth1", Table: table, Proto: proto}
	}
	rule := func(family facts.Family, table, proto int) facts.Rule {
		return facts.Rule{Family: family, Priority: PriorityHost, Table: table, Proto: proto}
	}
	pod := route("10.6.1.5/32", 500, facts.Proto)
	for _, test := range []struct {
		name   string
		routes []facts.Route
		rules  []facts.Rule
		want   string
	}{
		{"no pod", nil, nil, ""},
		{"in place", []facts.Route{pod}, []facts.Rule{rule(facts.V4, 500, facts.Proto)}, ""},
		{"Spiderpool's in place", []facts.Route{pod}, []facts.Rule{rule(facts.V4, 500, 0)}, ""},
		{"gone, with two pods", []facts.Route{pod, route("10.6.1.6/32", 500, facts.Proto)}, nil, "add IPv4 rule pref 1000 from all lookup 500 to the node"},
		{"of the other family only", []facts.Route{pod}, []facts.Rule{rule(facts.V6, 500, facts.Proto)}, "add IPv4 rule pref 1000 from all lookup 500 to the node"},
		{"of another table only", []facts.Route{pod}, []facts.Rule{rule(facts.V4, 200, facts.Proto)}, "add IPv4 rule pref 1000 from all lookup 500 to the node"},
		{"each table and family", []facts.Route{pod, route("10.6.1.6/32", 200, facts.Proto), route("fd00::5/128", 500, facts.Proto)}, nil,
			"add IPv4 rule pref 1000 from all lookup 500 to the node\nadd IPv4 rule pref 1000 from all lookup 200 to the node\n" +
				"add IPv6 rule pref 1000 from all lookup 500 to the node"},
		{"for another program's routes", []facts.Route{route("10.6.1.5/32", 500, 3)}, nil, ""},
		{"for a network", []facts.Route{route("10.6.0.0/16", 500, facts.Proto)}, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := describe(MissingHostRules(&facts.NetnsState{Routes: test.routes, Rules: test.rules})); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
