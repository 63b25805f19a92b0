// Package record keeps, for each sandbox, what was attached to it. DEL and CHECK work from it, so
// that they need neither the pod nor its networks' definitions, which may be gone by then.
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
	Network        string          `json:"network"`
	IfName         string          `json:"ifName"`
	Default        bool            `json:"default"`
	Config         json.RawMessage `json:"config"`
	CapabilityArgs map[string]any  `json:"capabilityArgs,omitempty"`
}

// Sandbox is the record of one sandbox; attachments are in the order in which they were made.
type Sandbox struct {
	Pod         string       `json:"pod"`
	Attachments []Attachment `json:"attachments"`
}

// Write stores a record before anything is attached: whatever happens later, DEL finds it.
func Write(dir, containerID string, sandbox Sandbox) error {
	raw, err := json.Marshal(sandbox)
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
	if err := json.Unmarshal(raw, &sandbox); err != nil {
		return Sandbox{}, false, fmt.Errorf("record %s: %w", file(dir, containerID), err)
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

func file(dir, containerID string) string { return filepath.Join(dir, containerID+".json") }
