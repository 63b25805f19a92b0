package doctor

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	current "github.com/containernetworking/cni/pkg/types/100"
)

// readContainers reads the containers for which libcni keeps results (NETWORK-CONTAINER-INTERFACE), on behalf of the
// runtime or of Multus, their pods, by container and by the name of the namespace's file, and the results; there are
// no containers when there are no such folders.
func (n *Node) readContainers(hostRoot string) {
	n.Names, n.Results = map[string]string{}, map[string]*current.Result{}
	for _, folder := range []string{"results", "cache/results", "multus/results", "multus/libcni/results"} {
		path := filepath.Join(hostRoot, "var/lib/cni", folder)
		entries, err := os.ReadDir(path)
		if err != nil {
			continue
		}
		if n.Containers == nil {
			n.Containers = map[string]bool{}
		}
		for _, entry := range entries {
			for part := range strings.SplitSeq(entry.Name(), "-") {
				n.Containers[part] = true
			}
			n.readRecord(filepath.Join(path, entry.Name()))
		}
	}
}

// readRecord reads libcni's record of an attachment (cniCacheV1). Known by the pod's name are the container, and its
// namespace by the last part of the path.
func (n *Node) readRecord(path string) {
	var attachment struct {
		ContainerID string         `json:"containerId"`
		IfName      string         `json:"ifName"`
		Args        [][]string     `json:"cniArgs"`
		Result      current.Result `json:"result"`
	}
	content, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(content, &attachment) != nil {
		return // a record that is being written, or of another format
	}
	n.Results[resultKey(attachment.ContainerID, attachment.IfName)] = &attachment.Result
	values := map[string]string{}
	for _, pair := range attachment.Args {
		if len(pair) == 2 {
			values[pair[0]] = pair[1]
		}
	}
	if values["K8S_POD_NAME"] == "" {
		return
	}
	keys := []string{attachment.ContainerID}
	for _, each := range attachment.Result.Interfaces {
		if each.Sandbox != "" {
			keys = append(keys, sandboxKey(each.Sandbox))
		}
	}
	for _, key := range keys {
		n.Names[key] = values["K8S_POD_NAMESPACE"] + "/" + values["K8S_POD_NAME"]
	}
}

// resultKey is the key of an attachment among the results.
func resultKey(container, dev string) string { return container + " " + dev }

// sandboxKey is the key of a namespace among the names of pods. Paths differ: /var/run is /run, and the node's
// files may be mounted elsewhere.
func sandboxKey(path string) string { return "netns " + filepath.Base(path) }
