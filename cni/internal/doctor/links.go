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
	return append(staleLinks(node), staleEntries(node)...)
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
		switch {
		case !link.PeerElsewhere:
			findings = append(findings, Finding{Warning, "link " + link.Name, "its peer is in no pod", "ip link del " + link.Name})
		case node.Containers != nil && !node.Containers[owner.ContainerID]:
			// The namespace of a pod is there: it may live, and the runtime keep its results elsewhere.
			findings = append(findings, Finding{Warning, "link " + link.Name, "belongs to container " + owner.ContainerID + ", for which the runtime has no CNI results",
				"crictl pods --id " + owner.ContainerID + "; if there is none, its network namespace was left behind (ip netns, lsns -t net), and the link goes with it"})
		case !routed[link.Name]:
			findings = append(findings, Finding{Error, "link " + link.Name, "no route leads to " + node.who(link),
				"it was removed: CHECK and a new ADD put it back, or by hand: ip route add ADDRESS dev " + link.Name + fmt.Sprintf(" table %d proto %d", node.Defaults.Table, facts.Proto)})
		}
	}
	return findings
}

// isLiving says whether a link leads into a pod's namespace that is there.
func isLiving(link facts.Link) bool {
	_, ours := vethOwner(link)
	return ours && link.PeerElsewhere
}

func staleEntries(node Node) []Finding {
	var findings []Finding
	host := node.State
	veths, routeDev := coordinatorVeths(host), map[netip.Addr]string{}
	for _, route := range podRoutes(host) {
		routeDev[unmap(route.Dst)] = route.Dev
		if link, ok := host.Link(route.Dev); !ok || !link.Up && !isLiving(link) {
			findings = append(findings, Finding{Warning, fmt.Sprintf("route to %s in table %d", route.Dst.Addr(), route.Table), "its device " + route.Dev + " is missing or down",
				fmt.Sprintf("ip route del %s table %d, if no pod has that address", route.Dst, route.Table)})
		}
	}
	for _, neigh := range host.Neighs {
		if link, ok := veths[neigh.Dev]; ok && neigh.Permanent && routeDev[neigh.IP] != neigh.Dev {
			remedy := fmt.Sprintf("ip neigh del %s dev %s", neigh.IP, neigh.Dev)
			if isLiving(link) {
				remedy = fmt.Sprintf("if the pod has that address, its route was removed: ip route add %s dev %s table TABLE proto %d, "+
					"with the table of the pod's network, hostRuleTable", neigh.IP, neigh.Dev, facts.Proto)
			}
			findings = append(findings, Finding{Warning, "neighbour " + neigh.IP.String() + " of " + neigh.Dev, "there is no route to it, of " + node.who(link), remedy})
		}
	}
	return findings
}

// datapaths reports dataplanes of other networks that are known to interfere.
func datapaths(node Node) []Finding {
	var findings []Finding
	for _, datapath := range []struct{ link, subject, value, remedy string }{
		{"cilium_host", "Cilium", "its eBPF programs may bypass the node's routing",
			"if the node does not reach underlay pods: cilium-dbg monitor --type drop, and run Cilium with bpf.hostLegacyRouting=true; " +
				"if it says Invalid source ip of a pod in overlay mode: cilium-dbg endpoint config ID SourceIPVerification=Disabled"},
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
