package doctor

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/nftables"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// readContainers returns the containers for which libcni keeps results (NETWORK-CONTAINER-INTERFACE),
// on behalf of the runtime or of Multus, and their pods; nil when there are no such folders.
func readContainers(hostRoot string) (containers map[string]bool, names map[string]string) {
	names = map[string]string{}
	for _, folder := range []string{"results", "cache/results", "multus/results", "multus/libcni/results"} {
		path := filepath.Join(hostRoot, "var/lib/cni", folder)
		entries, err := os.ReadDir(path)
		if err != nil {
			continue
		}
		if containers == nil {
			containers = map[string]bool{}
		}
		for _, entry := range entries {
			for part := range strings.SplitSeq(entry.Name(), "-") {
				containers[part] = true
			}
			if container, name := readPodName(filepath.Join(path, entry.Name())); name != "" {
				names[container] = name
			}
		}
	}
	return containers, names
}

// readPodName reads the pod from libcni's record of an attachment (cniCacheV1).
func readPodName(path string) (container, name string) {
	var attachment struct {
		ContainerID string     `json:"containerId"`
		Args        [][]string `json:"cniArgs"`
	}
	content, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(content, &attachment) != nil {
		return "", "" // a record that is being written, or of another format
	}
	values := map[string]string{}
	for _, pair := range attachment.Args {
		if len(pair) == 2 {
			values[pair[0]] = pair[1]
		}
	}
	if values["K8S_POD_NAME"] == "" {
		return "", ""
	}
	return attachment.ContainerID, values["K8S_POD_NAMESPACE"] + "/" + values["K8S_POD_NAME"]
}

// readPods reads the pods' sides of the node's veth pairs; it takes CAP_SYS_ADMIN to enter them.
func readPods(host *facts.Namespace, links []facts.Link, hostRoot string) ([]Pod, error) {
	wanted := map[int]facts.Link{}
	for _, link := range links {
		if isLiving(link) {
			wanted[link.PeerNetns] = link
		}
	}
	var pods []Pod
	var failed error
	for _, pattern := range []string{"run/netns/*", "proc/[0-9]*/ns/net"} {
		if len(wanted) == 0 {
			break
		}
		paths, err := filepath.Glob(filepath.Join(hostRoot, pattern))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			number, err := numberOf(host, path)
			link, ok := wanted[number]
			if err != nil || !ok {
				continue // of another program, or gone meanwhile
			}
			pod := Pod{Veth: link, Netns: path}
			if failed = pod.read(); failed != nil {
				return pods, failed
			}
			delete(wanted, number)
			pods = append(pods, pod)
		}
	}
	if len(wanted) > 0 {
		return pods, fmt.Errorf("%d of them are neither in %s nor of a process", len(wanted), filepath.Join(hostRoot, "run/netns"))
	}
	return pods, nil
}

// numberOf is the number that the kernel gave to a namespace, as seen from the node's.
func numberOf(host *facts.Namespace, path string) (int, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }()
	return host.Netlink.GetNetNsIdByFd(int(file.Fd()))
}

func (p *Pod) read() error {
	namespace, err := facts.OpenPath(p.Netns)
	if err != nil {
		return err
	}
	defer namespace.Close()
	if p.State, err = facts.PodSnapshot(namespace); err != nil {
		return err
	}
	p.Firewall, err = facts.ReadFirewall(namespace, func(chain facts.Chain) bool {
		return chain.Base && chain.NAT && chain.Hook == *nftables.ChainHookPrerouting
	})
	return err
}
