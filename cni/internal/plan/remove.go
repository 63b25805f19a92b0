package plan

import (
	"net/netip"

	"github.com/containernetworking/cni/pkg/types"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// DelHostLink plans the deletion of the host veth, with which the kernel deletes its routes and
// neighbours. A DEL of another interface than the one it was added for does not delete it.
func DelHostLink(host facts.Link, containerID, ifName string) []Op {
	owner, ok := ParseAlias(host.Alias)
	if host.Kind != "veth" || (host.Alias != "" && !ok) {
		return nil
	}
	if ok && (owner.ContainerID != containerID || owner.IfName != ifName) {
		return nil
	}
	return []Op{{Do: DropLink{facts.Host, host.Name}}}
}

// DelHostEntries plans the deletion of the node's entries for addresses of a pod: routes with our
// protocol in any table, and permanent neighbours on the links of these routes.
func DelHostEntries(host *facts.NetnsState, addresses []netip.Addr) []Op {
	podAddrs := map[netip.Addr]bool{}
	for _, ip := range addresses {
		podAddrs[ip] = true
	}
	var ops []Op
	devs := map[string]bool{}
	for _, route := range host.Routes {
		if route.Proto == facts.Proto && route.Dst.IsSingleIP() && podAddrs[route.Dst.Addr()] {
			devs[route.Dev] = true
			ops = append(ops, Op{Do: DropRoute{facts.Host, route}})
		}
	}
	for _, neigh := range host.Neighs {
		if podAddrs[neigh.IP] && devs[neigh.Dev] && neigh.Permanent {
			ops = append(ops, Op{Do: DropNeigh{facts.Host, neigh}})
		}
	}
	return ops
}

// DelPod plans the DEL of an interface in a pod whose netns still exists: its rules and tables are
// deleted, and when it had the default route, another interface's returns to the main table.
func DelPod(pod *facts.NetnsState, dev string) []Op {
	devAddrs, hasDefault := map[netip.Addr]bool{}, map[facts.Family]bool{}
	for _, addr := range pod.Addrs {
		if addr.Dev == dev {
			devAddrs[addr.Prefix.Addr()] = true
		}
	}
	var ops []Op
	tables := map[int]bool{}
	for _, rule := range pod.Rules {
		if rule.Proto == facts.Proto && !rule.Foreign && rule.Src.IsValid() && devAddrs[rule.Src.Addr()] {
			tables[rule.Table] = true
			ops = append(ops, Op{Do: DropRule{facts.Pod, rule}})
		}
	}
	for _, route := range pod.Routes {
		if tables[route.Table] {
			ops = append(ops, Op{Do: DropRoute{facts.Pod, route}})
		}
		if route.Table == facts.TableMain && route.IsDefault() && route.Dev != dev {
			hasDefault[route.Family()] = true
		}
	}
	for _, route := range pod.Routes {
		inDevTable := route.Table >= FirstTable && route.IsDefault() && route.Dev != dev && route.Dev != facts.PodVeth
		if inDevTable && !hasDefault[route.Family()] {
			hasDefault[route.Family()] = true
			route.Table = facts.TableMain
			ops = append(ops, Op{Do: AddRoute{facts.Pod, route}})
		}
	}
	return ops
}

// Collect plans the garbage collection of a network: the veth pairs of attachments that are not valid.
func Collect(links []facts.Link, network string, valid []types.GCAttachment) []Op {
	validSet := map[types.GCAttachment]bool{}
	for _, attachment := range valid {
		validSet[attachment] = true
	}
	var ops []Op
	for _, link := range links {
		owner, ok := ParseAlias(link.Alias)
		if !ok || link.Kind != "veth" {
			continue
		}
		expected := Owner{owner.ContainerID, owner.IfName, network}.Alias()
		if link.Alias == expected && !validSet[types.GCAttachment{ContainerID: owner.ContainerID, IfName: owner.IfName}] {
			ops = append(ops, Op{Do: DropLink{facts.Host, link.Name}})
		}
	}
	return ops
}
