package doctor

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// readContainers returns the containers for which libcni keeps results (NETWORK-CONTAINER-INTERFACE),
// on behalf of the runtime or of Multus, and their pods, by container and by the name of the namespace's file;
// nil when there are no such folders.
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
			keys, name := readPodName(filepath.Join(path, entry.Name()))
			for _, key := range keys {
				names[key] = name
			}
		}
	}
	return containers, names
}

// readPodName reads the pod from libcni's record of an attachment (cniCacheV1), with what is known by its
// name: the container, and its namespace by the last part of the path.
func readPodName(path string) (keys []string, name string) {
	var attachment struct {
		ContainerID string     `json:"containerId"`
		Args        [][]string `json:"cniArgs"`
		Result      struct {
			Interfaces []struct {
				Sandbox string `json:"sandbox"`
			} `json:"interfaces"`
		} `json:"result"`
	}
	content, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(content, &attachment) != nil {
		return nil, "" // a record that is being written, or of another format
	}
	values := map[string]string{}
	for _, pair := range attachment.Args {
		if len(pair) == 2 {
			values[pair[0]] = pair[1]
		}
	}
	if values["K8S_POD_NAME"] == "" {
		return nil, ""
	}
	keys = []string{attachment.ContainerID}
	for _, each := range attachment.Result.Interfaces {
		if each.Sandbox != "" {
			keys = append(keys, sandboxKey(each.Sandbox))
		}
	}
	return keys, values["K8S_POD_NAMESPACE"] + "/" + values["K8S_POD_NAME"]
}

// sandboxKey is the key of a namespace among the names of pods. Paths differ: /var/run is /run, and the node's
// files may be mounted elsewhere.
func sandboxKey(path string) string { return "netns " + filepath.Base(path) }
