package doctor

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
)

func vethOwner(link facts.Link) (plan.Owner, bool) { return plan.ParseAlias(link.Alias) }

// links reports host veths that were changed after the plugin had added them.
func links(node Node) []Finding {
	var findings []Finding
	for _, link := range node.State.Links {
		owner, ok := vethOwner(link)
		if !ok {
			continue
		}
		subject := "link " + link.Name
		if !link.Up {
			findings = append(findings, Finding{Error, subject, "is down", "ip link set " + link.Name + " up; find out who takes it down: " + linkManagerNames})
		}
		if expectedMAC := plan.HostMAC(owner.ContainerID); link.MAC != expectedMAC {
			findings = append(findings, Finding{Error, subject, "has the hardware address " + link.MAC + " in place of " + expectedMAC,
				"the pod's neighbour entry has the one of its creation: put cni/host-config's .link file on the node and recreate the pod"})
		}
		for _, addr := range node.State.Addrs {
			if addr.Dev == link.Name && !(addr.Prefix.Addr().Is6() && addr.Prefix.Addr().IsLinkLocalUnicast()) {
				findings = append(findings, Finding{Warning, subject, "was given the address " + addr.Prefix.String(), "find out who did it: " + linkManagerNames})
			}
		}
	}
	return findings
}

const linkManagerNames = "NetworkManager, systemd-networkd, udev; see cni/host-config"

// staleState reports links, routes and neighbours without a pod.
func staleState(node Node) []Finding {
	return append(staleLinks(node), staleEntries(node.State)...)
}

func staleLinks(node Node) []Finding {
	var findings []Finding
	routed := map[string]bool{}
	for _, route := range podRoutes(node.State) {
		routed[route.Dev] = true
	}
	for _, link := range node.State.Links {
		owner, ok := vethOwner(link)
		if !ok || link.Kind != "veth" {
			continue
		}
		remove := "ip link del " + link.Name
		switch {
		case !link.PeerElsewhere:
			findings = append(findings, Finding{Warning, "link " + link.Name, "its peer is in no pod", remove})
		case node.Containers != nil && !node.Containers[owner.ContainerID]:
			findings = append(findings, Finding{Warning, "link " + link.Name, "belongs to container " + owner.ContainerID + ", for which the runtime has no CNI results",
				remove + "; its netns still exists: ip netns, lsns -t net"})
		case !routed[link.Name]:
			findings = append(findings, Finding{Error, "link " + link.Name, "no route leads to the pod of container " + owner.ContainerID,
				"it was removed: delete the pod to have it set up again"})
		}
	}
	return findings
}

func staleEntries(host *facts.NetnsState) []Finding {
	var findings []Finding
	veths, routeDev := coordinatorVeths(host), map[netip.Addr]string{}
	for _, route := range podRoutes(host) {
		routeDev[unmap(route.Dst)] = route.Dev
		if link, ok := host.Link(route.Dev); !ok || !link.Up {
			findings = append(findings, Finding{Warning, fmt.Sprintf("route to %s in table %d", route.Dst.Addr(), route.Table), "its device " + route.Dev + " is missing or down",
				fmt.Sprintf("ip route del %s table %d, if no pod has that address", route.Dst, route.Table)})
		}
	}
	for _, neigh := range host.Neighs {
		if _, ok := veths[neigh.Dev]; ok && neigh.Permanent && routeDev[neigh.IP] != neigh.Dev {
			findings = append(findings, Finding{Warning, "neighbour " + neigh.IP.String() + " of " + neigh.Dev, "there is no route to it",
				fmt.Sprintf("ip neigh del %s dev %s", neigh.IP, neigh.Dev)})
		}
	}
	return findings
}

// datapaths reports dataplanes of other networks that are known to interfere.
func datapaths(node Node) []Finding {
	var findings []Finding
	for _, datapath := range []struct{ link, subject, value, remedy string }{
		{"cilium_host", "Cilium", "its eBPF programs may bypass the node's routing",
			"if the node does not reach underlay pods: cilium-dbg monitor --type drop, and run Cilium with bpf.hostLegacyRouting=true"},
		{"bpfin.cali", "Calico's eBPF data plane", "services are translated in Calico's own links, which underlay pods do not have",
			"if underlay pods reach no ClusterIP: run Calico with bpfEnabled false, and kube-proxy"},
		{"kube-ipvs0", "kube-proxy in IPVS mode", "all service addresses are the node's own",
			"nothing; if NodePorts with policy Local fail: sysctl net.ipv4.vs.conntrack must be 1"},
	} {
		for _, link := range node.State.Links {
			if strings.HasPrefix(link.Name, datapath.link) {
				level := Warning
				if datapath.link == "kube-ipvs0" {
					level = Note
				}
				findings = append(findings, Finding{level, datapath.subject, datapath.value, datapath.remedy})
				break
			}
		}
	}
	return findings
}
