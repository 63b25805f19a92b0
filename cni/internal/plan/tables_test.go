package plan

import (
	"net/netip"
	"testing"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// What another program has in a table stays, of whatever type its routes are.
func TestTablesOfOtherProgramsAreNotUsed(t *testing.T) {
	everything, router := netip.MustParsePrefix("0.0.0.0/0"), netip.MustParseAddr("10.6.0.1")
	for _, test := range []struct {
		name  string
		claim func(*facts.NetnsState, int)
	}{
		{"a unicast route", func(pod *facts.NetnsState, table int) {
			pod.Routes = append(pod.Routes, facts.Route{Dst: everything, Gw: router, Dev: "eth0", Table: table, Proto: 3})
		}},
		{"a blackhole route alone", func(pod *facts.NetnsState, table int) {
			pod.Special = append(pod.Special, facts.Route{Dst: everything, Table: table, Proto: 3, Type: 6})
		}},
		{"several next hops alone", func(pod *facts.NetnsState, table int) {
			pod.Special = append(pod.Special, facts.Route{Dst: everything, Gw: router, Dev: "eth0", Table: table, Proto: 3})
		}},
		{"a rule", func(pod *facts.NetnsState, table int) {
			pod.Rules = append(pod.Rules, facts.Rule{Family: facts.V4, Priority: 200, Mark: 7, Mask: 7, Table: table})
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := podFixture(nic{name: "eth0", net: 6, v4: true, defaults: true})
			for _, table := range []int{tableKept, FirstTable} {
				test.claim(&f.Pod, table)
			}
			plan, err := Add(f, request("eth0"))
			if err != nil {
				t.Fatal(err)
			}
			for _, op := range plan.Ops {
				if put, ok := op.Do.(PutRoute); ok && put.Side == facts.Pod && (put.Route.Table == tableKept || put.Route.Table == FirstTable) {
					t.Errorf("%s: the table is another program's", put)
				}
			}
			if len(plan.Warnings) != 1 {
				t.Errorf("table %d is warned of, got %q", tableKept, plan.Warnings)
			}
		})
	}
}
