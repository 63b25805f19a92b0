package facts

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// MultusDataDir is the data directory of Multus (cniDir), with the delegates of each container.
const MultusDataDir = "/var/lib/cni/multus"

// Attachments returns the names of a container's interfaces in the order in which Multus adds them;
// ok is false without a file: another meta plugin, or an old Multus. Multus
// numbers interfaces that have no name of their own, and the cluster's network is the first.
func Attachments(dir, containerID, first string) (names []string, ok bool) {
	content, err := os.ReadFile(filepath.Join(dir, containerID))
	if err != nil {
		return nil, false
	}
	var networks []struct {
		Requested string `json:"ifnameRequest"`
	}
	if err := json.Unmarshal(content, &networks); err != nil || len(networks) == 0 {
		return nil, false
	}
	for number, network := range networks {
		switch {
		case network.Requested != "":
			names = append(names, network.Requested)
		case number == 0:
			names = append(names, first)
		default:
			names = append(names, fmt.Sprintf("net%d", number))
		}
	}
	return names, true
}
