package install

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// State is how the plugin on the node compares with the one of the image.
type State string

// The states; the zero value: it could not be read.
const (
	Current State = "current"
	Stale   State = "stale"   // of this product, but of another version, damaged, or not executable
	Foreign State = "foreign" // of another product
	Missing State = "missing"
)

// Inspect compares the plugin on the node with the image's; it changes nothing.
func (p Plugin) Inspect() (State, error) {
	same, err := sameFile(p.Source, p.Target())
	if err != nil {
		return "", err
	}
	if same {
		return Current, nil
	}
	found, err := originOf(p.Target())
	if err != nil {
		return "", err
	}
	switch found {
	case absent:
		return Missing, nil
	case foreign:
		return Foreign, nil
	}
	return Stale, nil
}

// HasBackup says whether there is a backup of another product's plugin.
func (p Plugin) HasBackup() bool {
	_, err := os.Stat(p.Backup())
	return err == nil
}

// Ready returns the error that says which plugins of the node are not those of the image.
func (i *Installer) Ready() error {
	var reasons []string
	for _, plugin := range i.Plugins() {
		same, err := sameFile(plugin.Source, plugin.Target())
		switch {
		case err != nil:
			reasons = append(reasons, err.Error())
		case !same:
			reasons = append(reasons, fmt.Sprintf("%s is not the plugin of this image", plugin.Target()))
		}
	}
	if reasons == nil {
		return nil
	}
	return errors.New(strings.Join(reasons, "; ") + ": see the log of this pod")
}
