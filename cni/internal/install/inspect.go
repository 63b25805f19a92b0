package install

import (
	"errors"
	"io/fs"
	"os"
)

// State is how the plugin on the node compares with the one of the image.
type State string

// The states; the zero value: it could not be read.
const (
	Current State = "current"
	Stale   State = "stale"   // of this product, but of another version, or not executable
	Foreign State = "foreign" // of another product
	Missing State = "missing"
)

// Inspect compares the plugin on the node with the image's; it changes nothing.
func (i *Installer) Inspect() (State, error) {
	if _, err := os.Stat(i.Target()); errors.Is(err, fs.ErrNotExist) {
		return Missing, nil
	}
	foreign, err := isForeign(i.Target())
	if err != nil {
		return "", err
	}
	if foreign {
		return Foreign, nil
	}
	same, err := sameFile(i.Source, i.Target())
	if err != nil {
		return "", err
	}
	if same {
		return Current, nil
	}
	return Stale, nil
}

// HasBackup says whether there is a backup of another product's plugin.
func (i *Installer) HasBackup() bool {
	_, err := os.Stat(i.Backup())
	return err == nil
}
