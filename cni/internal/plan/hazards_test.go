package plan

import (
	"strings"
	"testing"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

func TestHazards(t *testing.T) {
	for _, test := range []struct {
		name              string
		all, own, liberal string
		wanted            string
	}{
		{"nothing to tell", "0", "0", "1", ""},
		{"loose is fine", "1", "2", "", ""},
		{"strict by all", "1", "0", "", "rp_filter"},
		{"strict by the interface", "0", "1", "", "rp_filter"},
		{"the connection tracker is picky", "0", "0", "0", "nf_conntrack_tcp_be_liberal"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := scene(nic{name: "eth0", net: 6, v4: true})
			f.Pod.Links = append(f.Pod.Links, facts.Link{Name: facts.PodVeth})
			f.Pod.Sysctls[facts.RPFilter("all")] = test.all
			f.Pod.Sysctls[facts.RPFilter(facts.PodVeth)] = test.own
			f.Host.Sysctls[facts.TCPLiberal] = test.liberal
			got := strings.Join(Hazards(f), " ")
			if (test.wanted == "") != (got == "") || !strings.Contains(got, test.wanted) {
				t.Errorf("got %q, wanted %q", got, test.wanted)
			}
		})
	}
}
