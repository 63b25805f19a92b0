package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/config"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

const rounds = 3000

// grow adds interfaces to a pod one after another, as the runtime does, and hands each plan to a
// check together with the facts it was made from.
func grow(t *testing.T, seed uint64, verify func(before *facts.Facts, req *Request, made *Plan)) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	nics := randomNICs(random)
	overlay := random.IntN(2) == 0
	f := podFixture()
	for number, each := range nics {
		attach(f, each, number+2)
		if number == 0 && overlay {
			clusterNetwork(f)
			continue
		}
		req := randomRequest(random, each.name)
		req.Config.HostRuleTable = 500
		made, err := Add(f, req)
		if err != nil {
			continue // a refused configuration changes nothing
		}
		before := copyOf(f)
		for _, op := range made.Ops {
			simulate(f, op.Do)
		}
		verify(before, req, made)
	}
}

func TestThePlanOfTheStateAfterApplyIsEmpty(t *testing.T) {
	plans := 0
	for seed := range uint64(rounds) {
		grow(t, seed, func(before *facts.Facts, req *Request, made *Plan) {
			plans++
			after := copyOf(before)
			for _, op := range made.Ops {
				simulate(after, op.Do)
			}
			again, err := Add(after, req)
			if err != nil {
				t.Fatalf("seed %d: the second plan is refused: %v\nafter:\n%s", seed, err, describe(made.Ops))
			}
			if len(again.Ops) > 0 {
				t.Fatalf("seed %d: interface %s, %+v\nthe first plan:\n%s\nthe second:\n%s",
					seed, req.IfName, req.Config, describe(made.Ops), describe(again.Ops))
			}
		})
	}
	if plans < rounds/2 {
		t.Errorf("only %d plans were made", plans)
	}
}

func TestUndoRestoresTheFacts(t *testing.T) {
	for seed := range uint64(rounds) {
		grow(t, seed, func(before *facts.Facts, req *Request, made *Plan) {
			state := copyOf(before)
			for _, op := range made.Ops {
				simulate(state, op.Do)
			}
			for i := len(made.Ops) - 1; i >= 0; i-- {
				undo := made.Ops[i].Undo
				if undo == nil {
					continue
				}
				simulate(state, undo)
			}
			if want, got := canonical(before), canonical(state); !slices.Equal(want, got) {
				t.Fatalf("seed %d: interface %s\nplan:\n%s\nmissing: %q\nleft: %q", seed, req.IfName, describe(made.Ops),
					difference(want, got), difference(got, want))
			}
		})
	}
}

func difference(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(line string) bool { return slices.Contains(b, line) })
}

func TestInvariantsOfEveryPlan(t *testing.T) {
	for seed := range uint64(rounds) {
		grow(t, seed, func(before *facts.Facts, req *Request, made *Plan) {
			after := copyOf(before)
			for _, op := range made.Ops {
				simulate(after, op.Do)
			}
			for _, broken := range invariants(before, after) {
				t.Fatalf("seed %d: interface %s, %+v: %s\n%s", seed, req.IfName, req.Config, broken, describe(made.Ops))
			}
		})
	}
}

// invariants says which general truths do not hold after a plan.
func invariants(before, after *facts.Facts) []string {
	var broken []string
	for _, family := range facts.Families {
		if hasDefault(&before.Pod, family) && !hasDefault(&after.Pod, family) {
			broken = append(broken, fmt.Sprintf("the main table lost its %s default route", family))
		}
	}
	tables := map[int]string{}
	for _, rule := range after.Pod.Rules {
		if rule.Src.IsValid() && rule.Priority <= PriorityMark {
			broken = append(broken, "a from rule comes before the mark rule")
		}
		if rule.Table < FirstTable && rule.Proto == facts.Proto {
			broken = append(broken, fmt.Sprintf("table %d is not private", rule.Table))
		}
		dev := ruleOwner(&after.Pod, rule)
		if other, known := tables[rule.Table]; known && other != dev {
			broken = append(broken, fmt.Sprintf("table %d is shared by %s and %s", rule.Table, other, dev))
		}
		tables[rule.Table] = dev
	}
	for _, rule := range after.Pod.Rules {
		if !slices.ContainsFunc(after.Pod.Routes, func(r facts.Route) bool { return r.Table == rule.Table }) {
			broken = append(broken, fmt.Sprintf("a rule leads to the empty table %d", rule.Table))
		}
	}
	return broken
}

func hasDefault(state *facts.NetnsState, family facts.Family) bool {
	return slices.ContainsFunc(state.Routes, func(r facts.Route) bool {
		return r.Table == facts.TableMain && r.IsDefault() && r.Family() == family
	})
}

func ruleOwner(state *facts.NetnsState, rule facts.Rule) string {
	for _, addr := range state.Addrs {
		if rule.Src.IsValid() && addr.Prefix.Addr() == rule.Src.Addr() {
			return addr.Dev
		}
	}
	return markTableOwner
}

func TestDisjointFamilies(t *testing.T) {
	for seed := range uint64(rounds) {
		grow(t, seed, func(before *facts.Facts, req *Request, made *Plan) {
			for _, family := range facts.Families {
				if len(before.Pod.Usable(req.IfName, family)) > 0 {
					continue
				}
				for _, op := range made.Ops {
					if route, is := op.Do.(PutRoute); is && route.Route.Family() == family {
						t.Fatalf("seed %d: %s has no %s address: %s", seed, req.IfName, family, op.Do)
					}
				}
			}
		})
	}
}

func TestModeSelectsTheVethPair(t *testing.T) {
	for _, test := range []struct {
		name    string
		mode    config.Mode
		overlay bool
		ifName  string
		private bool
		refused bool
	}{
		{"auto, first interface", config.ModeAuto, false, "eth0", true, false},
		{"auto, beside a cluster network", config.ModeAuto, true, "net1", false, false},
		{"overlay, first interface", config.ModeOverlay, true, "eth0", false, true},
		{"overlay, first interface is no veth", config.ModeOverlay, false, "net1", false, true},
		{"underlay, further interface without veth0", config.ModeUnderlay, true, "net1", true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := podFixture(nic{name: "eth0", net: 6, v4: true, defaults: true}, nic{name: "net1", net: 7, v4: true})
			if test.overlay {
				clusterNetwork(f)
			}
			req := request(test.ifName)
			req.Config.Mode = test.mode
			addPlan, err := Add(f, req)
			if (err != nil) != test.refused {
				t.Fatalf("refused: %v", err)
			}
			if err == nil && addPlan.Veth.AddedByCoordinator != test.private {
				t.Errorf("got %+v", addPlan.Veth)
			}
		})
	}
}
