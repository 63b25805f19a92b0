package doctor

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
)

func owner(link facts.Link) (plan.Owner, bool) { return plan.ParseAlias(link.Alias) }

// links looks for veths that somebody changed after the plugin had made them.
func links(node Node) []Finding {
	var found []Finding
	for _, link := range node.Space.Links {
		its, ours := owner(link)
		if !ours {
			continue
		}
		what := "link " + link.Name
		if !link.Up {
			found = append(found, Finding{Error, what, "is down", "ip link set " + link.Name + " up; find out who takes it down: " + usualSuspects})
		}
		if made := plan.HostMAC(its.ContainerID); link.MAC != made {
			found = append(found, Finding{Error, what, "has the hardware address " + link.MAC + " in place of " + made,
				"the pod sends to the one that it was made with: put cni/host-config's .link file on the node; the pod needs to be made anew"})
		}
		for _, addr := range node.Space.Addrs {
			if addr.Dev == link.Name && !(addr.Prefix.Addr().Is6() && addr.Prefix.Addr().IsLinkLocalUnicast()) {
				found = append(found, Finding{Warning, what, "was given the address " + addr.Prefix.String(), "find out who did it: " + usualSuspects})
			}
		}
	}
	return found
}

const usualSuspects = "NetworkManager, systemd-networkd, udev; see cni/host-config"

// leftovers looks for what no pod needs any more.
func leftovers(node Node) []Finding {
	return append(deadLinks(node), deadEntries(node.Space)...)
}

func deadLinks(node Node) []Finding {
	var found []Finding
	routed := map[string]bool{}
	for _, route := range ownRoutes(node.Space) {
		routed[route.Dev] = true
	}
	for _, link := range node.Space.Links {
		its, ours := owner(link)
		if !ours || link.Kind != "veth" {
			continue
		}
		remove := "ip link del " + link.Name
		switch {
		case !link.Elsewhere:
			found = append(found, Finding{Warning, "link " + link.Name, "its other end is in no pod", remove})
		case node.Known != nil && !node.Known[its.ContainerID]:
			found = append(found, Finding{Warning, "link " + link.Name, "belongs to container " + its.ContainerID + ", of which the runtime has no networks",
				remove + "; its namespace is still there: ip netns, lsns -t net"})
		case !routed[link.Name]:
			found = append(found, Finding{Error, "link " + link.Name, "no route leads to the pod of container " + its.ContainerID,
				"somebody removed it: delete the pod to have it set up again"})
		}
	}
	return found
}

func deadEntries(space *facts.Space) []Finding {
	var found []Finding
	own, to := ownLinks(space), map[netip.Addr]string{}
	for _, route := range ownRoutes(space) {
		to[unmap(route.Dst)] = route.Dev
		if link, known := space.Link(route.Dev); !known || !link.Up {
			found = append(found, Finding{Warning, fmt.Sprintf("route to %s in table %d", route.Dst.Addr(), route.Table), "leads into " + route.Dev + ", which is gone or down",
				fmt.Sprintf("ip route del %s table %d, if no pod has that address", route.Dst, route.Table)})
		}
	}
	for _, neigh := range space.Neighs {
		if _, ours := own[neigh.Dev]; ours && neigh.Permanent && to[neigh.IP] != neigh.Dev {
			found = append(found, Finding{Warning, "neighbour " + neigh.IP.String() + " of " + neigh.Dev, "no route of ours leads there",
				fmt.Sprintf("ip neigh del %s dev %s", neigh.IP, neigh.Dev)})
		}
	}
	return found
}

// datapaths names programs of other networks that are known to get into the way.
func datapaths(node Node) []Finding {
	var found []Finding
	for _, each := range []struct{ link, what, value, do string }{
		{"cilium_host", "Cilium", "its programs handle packets between the node and its links",
			"if the node does not reach underlay pods: cilium-dbg monitor --type drop, and run Cilium with bpf.hostLegacyRouting=true"},
		{"bpfin.cali", "Calico's eBPF data plane", "services are translated in Calico's own links, which underlay pods do not have",
			"if underlay pods reach no ClusterIP: run Calico with bpfEnabled false, and kube-proxy"},
		{"kube-ipvs0", "kube-proxy in IPVS mode", "all service addresses are the node's own",
			"nothing; if NodePorts with policy Local fail: sysctl net.ipv4.vs.conntrack must be 1"},
	} {
		for _, link := range node.Space.Links {
			if strings.HasPrefix(link.Name, each.link) {
				level := Warning
				if each.link == "kube-ipvs0" {
					level = Note
				}
				found = append(found, Finding{level, each.what, each.value, each.do})
				break
			}
		}
	}
	return found
}
