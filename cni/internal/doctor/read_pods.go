package doctor

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
)

// podReader looks for the pods of a node that this plugin connected, in all network namespaces; it takes
// CAP_SYS_ADMIN to enter them.
type podReader struct {
	host     *facts.Namespace
	node     *Node
	hostRoot string
	seen     map[uint64]bool    // namespaces, by inode
	missing  map[int]facts.Link // links that lead to pods whose namespace is not found yet, by its number
	pods     []Pod
}

// readPods reads the sides of the node's pods.
func readPods(host *facts.Namespace, node *Node, hostRoot string) ([]Pod, error) {
	reader := podReader{host: host, node: node, hostRoot: hostRoot, seen: map[uint64]bool{}, missing: legsToPods(node.State)}
	for _, pattern := range []string{"run/netns/*", "proc/[0-9]*/ns/net"} {
		paths, err := filepath.Glob(filepath.Join(hostRoot, pattern))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			if err := reader.look(path); err != nil {
				return reader.pods, err
			}
		}
		if len(reader.missing) == 0 {
			break
		}
	}
	if len(reader.missing) > 0 {
		return reader.pods, fmt.Errorf("%d of them are neither in %s nor of a process", len(reader.missing), filepath.Join(hostRoot, "run/netns"))
	}
	return reader.pods, nil
}

// legsToPods are the links that lead to a pod of this plugin: its own, and those of the cluster network that
// its routes go to.
func legsToPods(host *facts.NetnsState) map[int]facts.Link {
	legs := map[int]facts.Link{}
	for _, link := range host.Links {
		if isLiving(link) {
			legs[link.PeerNetns] = link
		}
	}
	for _, route := range podRoutes(host) {
		if link, ok := host.Link(route.Dev); ok && link.PeerElsewhere {
			legs[link.PeerNetns] = link
		}
	}
	return legs
}

// look reads a namespace if it is one of a pod of this plugin.
func (r *podReader) look(path string) error {
	var file unix.Stat_t
	if unix.Stat(path, &file) != nil || r.seen[file.Ino] {
		return nil // gone meanwhile, or read by another path
	}
	r.seen[file.Ino] = true
	namespace, err := facts.OpenPath(path)
	if err != nil {
		return nil //nolint:nilerr // no namespace: run/netns may have other files
	}
	defer namespace.Close()
	if namespace.Same(r.host) {
		return nil
	}
	number, err := r.host.NumberOf(namespace)
	if err != nil {
		return err
	}
	link, wanted := r.missing[number]
	if !wanted {
		ours, err := r.isOurs(namespace)
		if err != nil || !ours {
			return err
		}
	}
	delete(r.missing, number)
	pod := Pod{Veth: link, Netns: path}
	if err := pod.read(r, namespace); err != nil {
		if _, gone := os.Stat(path); gone != nil {
			return nil
		}
		return err
	}
	r.pods = append(r.pods, pod)
	return nil
}

// isOurs says whether a namespace without a link that leads there has entries of this plugin, and a link that
// lies on one of this node: other nodes may be namespaces of the same machine.
func (r *podReader) isOurs(namespace *facts.Namespace) (bool, error) {
	state, err := facts.HostRules(namespace)
	if err != nil || !hasEntries(state) {
		return false, err
	}
	number, err := namespace.NumberOf(r.host)
	if err != nil || number < 0 {
		return false, err
	}
	links, err := namespace.Links()
	for _, link := range links {
		if int32(link.Attrs().NetNsID) == int32(number) { // the library reads it as unsigned
			return true, err
		}
	}
	return false, err
}

func hasEntries(state *facts.NetnsState) bool {
	for _, rule := range state.Rules {
		if rule.Proto == facts.Proto {
			return true
		}
	}
	for _, route := range state.Routes {
		if route.Proto == facts.Proto {
			return true
		}
	}
	return false
}

func (p *Pod) read(r *podReader, namespace *facts.Namespace) (err error) {
	if p.State, err = facts.PodSnapshot(namespace); err != nil {
		return err
	}
	p.Firewall, err = facts.ReadFirewall(namespace, func(chain facts.Chain) bool {
		return chain.Base && chain.NAT && chain.Hook == *nftables.ChainHookPrerouting
	})
	if err != nil {
		return err
	}
	for _, request := range p.requests(r.node) {
		observed, err := facts.Read(namespace, r.host, facts.Query{
			HostVeth: plan.HostVeth(request.ContainerID), HostRuleTable: request.Config.HostRuleTable,
			First: request.Config.First, IfName: request.IfName, PrevAddrs: request.Addresses, Marks: p.underlay(),
		})
		if err != nil {
			return err
		}
		p.Attachments = append(p.Attachments, Attachment{request, observed})
	}
	return nil
}
