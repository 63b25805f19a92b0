// Package record keeps, for each sandbox, what was attached to it. DEL and CHECK work from it, so
// that they need neither the pod nor its networks' definitions, which may be gone by then.
//
// Plugins may look into it while they run, so it has the place and the form of Multus' own record:
// the file cniDir/CONTAINER-ID, a JSON list with one element a network, in the order in which they
// are attached. Of Multus' keys (type DelegateNetConf, pkg/types/types.go, versions 3.2 to 4.2) it
// writes Conf or ConfList with the configuration, Name, and ifnameRequest with an interface's own
// name, which is left out where Multus numbers interfaces. Keys of the stand-in alone are under one
// key more.
package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Attachment is one network of a sandbox.
type Attachment struct {
	// Network is the name that people know it by: NAMESPACE/NAME, or the cluster network's.
	Network string
	IfName  string
	// Requested says that the pod names the interface; others are numbered.
	Requested      bool
	Default        bool
	Config         json.RawMessage
	CapabilityArgs map[string]any
}

// Sandbox is the record of one sandbox; attachments are in the order in which they were made.
type Sandbox struct {
	Pod         string
	Attachments []Attachment
}

// delegate is an attachment as Multus records it.
type delegate struct {
	Conf          struct{}
	ConfList      json.RawMessage
	Name          string
	IfnameRequest string `json:"ifnameRequest,omitempty"`
	Own           own    `json:"multus-standin"`
}

// own is what DEL and CHECK of the stand-in need beside that.
type own struct {
	Pod            string         `json:"pod"`
	IfName         string         `json:"ifName"`
	Default        bool           `json:"default"`
	CapabilityArgs map[string]any `json:"capabilityArgs,omitempty"`
}

// Write stores a record before anything is attached: whatever happens later, DEL finds it.
func Write(dir, containerID string, sandbox Sandbox) error {
	delegates := make([]delegate, 0, len(sandbox.Attachments))
	for _, a := range sandbox.Attachments {
		one := delegate{ConfList: a.Config, Name: a.Network, Own: own{sandbox.Pod, a.IfName, a.Default, a.CapabilityArgs}}
		if a.Requested {
			one.IfnameRequest = a.IfName
		}
		delegates = append(delegates, one)
	}
	raw, err := json.Marshal(delegates)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	path := file(dir, containerID)
	temporary := path + ".new"
	if err := os.WriteFile(temporary, raw, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// Read returns the record; found is false when the sandbox has none.
func Read(dir, containerID string) (sandbox Sandbox, found bool, err error) {
	raw, err := os.ReadFile(file(dir, containerID))
	if errors.Is(err, fs.ErrNotExist) {
		return Sandbox{}, false, nil
	}
	if err != nil {
		return Sandbox{}, false, err
	}
	var delegates []delegate
	if err := json.Unmarshal(raw, &delegates); err != nil {
		return Sandbox{}, false, fmt.Errorf("record %s: %w", file(dir, containerID), err)
	}
	for _, d := range delegates {
		sandbox.Pod = d.Own.Pod
		sandbox.Attachments = append(sandbox.Attachments, Attachment{
			Network: d.Name, IfName: d.Own.IfName, Requested: d.IfnameRequest != "", Default: d.Own.Default,
			Config: d.ConfList, CapabilityArgs: d.Own.CapabilityArgs,
		})
	}
	return sandbox, true, nil
}

// Remove deletes the record; one that is not there is no error.
func Remove(dir, containerID string) error {
	err := os.Remove(file(dir, containerID))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func file(dir, containerID string) string { return filepath.Join(dir, containerID) }
