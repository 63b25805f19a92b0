package plan

import (
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// strict is the value of rp_filter with which the kernel drops a packet whose way back would be
// another interface.
const strict = "1"

// Hazards names settings that this plugin does not own and that are known to break traffic. They
// are told, not changed.
func Hazards(f *facts.Facts) []string {
	var found []string
	if _, underlay := f.Pod.Link(facts.PodVeth); underlay {
		// the kernel uses the greater value; 2 is loose
		all, own := f.Pod.Sysctls[facts.RPFilter("all")], f.Pod.Sysctls[facts.RPFilter(facts.PodVeth)]
		if max(all, own) == strict {
			found = append(found, "rp_filter is 1 (strict) on veth0 of the pod: clients whose address is kept, such as those of a NodePort "+
				"with externalTrafficPolicy Local, get no answer; set podRPFilter to 0 or 2")
		}
	}
	if f.Host.Sysctls[facts.TCPLiberal] == "0" {
		found = append(found, "sysctl net.netfilter.nf_conntrack_tcp_be_liberal of the node is 0: kube-proxy in iptables mode may drop "+
			"TCP between an underlay pod and an overlay pod of another node, whose replies take another way; set it to 1 if that happens")
	}
	return found
}
