package plan

import (
	"strings"
	"testing"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

func TestSysctlWarnings(t *testing.T) {
	for _, test := range []struct {
		name              string
		all, dev, liberal string
		want              string
	}{
		{"nothing to tell", "0", "0", "1", ""},
		{"loose is fine", "1", "2", "", ""},
		{"strict by all", "1", "0", "", "rp_filter"},
		{"strict by the interface", "0", "1", "", "rp_filter"},
		{"the connection tracker is picky", "0", "0", "0", "nf_conntrack_tcp_be_liberal"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := podFixture(nic{name: "eth0", net: 6, v4: true})
			f.Pod.Links = append(f.Pod.Links, facts.Link{Name: facts.PodVeth})
			f.Pod.Sysctls[facts.RPFilter("all")] = test.all
			f.Pod.Sysctls[facts.RPFilter(facts.PodVeth)] = test.dev
			f.Host.Sysctls[facts.TCPLiberal] = test.liberal
			got := strings.Join(SysctlWarnings(f, "veth1"), " ")
			if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestStrictRPFilterOfTheNodeIsWarnedOfOnlyWithRulesBeforeOurs(t *testing.T) {
	for _, test := range []struct {
		name  string
		value string
		rule  facts.Rule
		want  int
	}{
		{"a rule before ours", "1", facts.Rule{Family: facts.V4, Priority: 9, Table: 2004}, 1},
		{"loose", "2", facts.Rule{Family: facts.V4, Priority: 9, Table: 2004}, 0},
		{"a rule after ours", "1", facts.Rule{Family: facts.V4, Priority: 5210, Table: 52}, 0},
		{"our own rule", "1", facts.Rule{Family: facts.V4, Priority: PriorityHost, Table: 500, Proto: facts.Proto}, 0},
		{"the kernel's first rule", "1", facts.Rule{Family: facts.V4, Table: facts.TableLocal}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := podFixture(nic{name: "eth0", net: 6, v4: true})
			f.Host.Sysctls = map[string]string{facts.RPFilter("veth1"): test.value}
			f.Host.Rules = []facts.Rule{test.rule}
			if got := SysctlWarnings(f, "veth1"); len(got) != test.want {
				t.Errorf("got %q", got)
			}
		})
	}
}
