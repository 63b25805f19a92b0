// Package install reconciles the plugin and the defaults file on a node.
package install

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Name is what the plugin is called in the directory of CNI plugins.
const Name = "coordinator"

// Installer has the paths of an installation.
type Installer struct {
	Source         string // the plugin in the image
	TargetDir      string // the node's directory of CNI plugins
	DefaultsSource string // optional: the effective configuration of the cluster
	DefaultsTarget string
	ReplaceForeign bool // back up and replace another product's plugin of the same name
}

// Target is the plugin's path on the node.
func (i *Installer) Target() string { return filepath.Join(i.TargetDir, Name) }

// Backup is the path of the backup of another product's plugin. A runtime runs plugins by their type, so
// nothing ever runs a file of this name.
func (i *Installer) Backup() string { return filepath.Join(i.TargetDir, "."+Name+".foreign") }

// Sync reconciles plugin and defaults file and returns what it changed. The defaults come first: the
// runtime calls the plugin from the moment it is there.
func (i *Installer) Sync() (changed []string, err error) {
	defaults, defaultsErr := i.syncDefaults()
	plugin, pluginErr := i.syncPlugin()
	return append(defaults, plugin...), errors.Join(defaultsErr, pluginErr)
}

func (i *Installer) syncPlugin() ([]string, error) {
	target := i.Target()
	same, err := sameFile(i.Source, target)
	if err != nil || same {
		return nil, err
	}
	var changed []string
	foreign, err := isForeign(target)
	if err != nil {
		return nil, err
	}
	if foreign {
		if !i.ReplaceForeign {
			return nil, fmt.Errorf("%s belongs to another product (Spiderpool has a plugin of the same name): it is left alone; "+
				"remove that product, or allow its replacement with --replace-foreign", target)
		}
		// A copy, not a move: at no moment may the node be without a plugin of this name.
		if err := copyFile(target, i.Backup(), 0o755); err != nil {
			return nil, fmt.Errorf("back up the other product's plugin: %w", err)
		}
		changed = append(changed, "backed up "+target+" of another product as "+i.Backup())
	}
	if err := copyFile(i.Source, target, 0o755); err != nil {
		return changed, err
	}
	return append(changed, "installed "+target), nil
}

// syncDefaults keeps the last valid file when the source is missing or invalid: pods that start
// meanwhile use it.
func (i *Installer) syncDefaults() ([]string, error) {
	if i.DefaultsSource == "" {
		return nil, nil
	}
	content, err := os.ReadFile(i.DefaultsSource)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !json.Valid(content) {
		return nil, fmt.Errorf("%s is not valid JSON: %s stays as it is; check the ConfigMap of node defaults", i.DefaultsSource, i.DefaultsTarget)
	}
	if existing, err := os.ReadFile(i.DefaultsTarget); err == nil && bytes.Equal(existing, content) {
		return nil, nil
	}
	if err := writeAtomically(i.DefaultsTarget, bytes.NewReader(content), 0o644); err != nil {
		return nil, err
	}
	return []string{"wrote " + i.DefaultsTarget}, nil
}

// Restore restores the backup of another product's plugin.
func (i *Installer) Restore() (changed []string, err error) {
	err = os.Rename(i.Backup(), i.Target())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("restore the other product's plugin: %w", err)
	}
	return []string{"restored " + i.Target() + " of another product"}, nil
}

// sameFile compares two files; a missing target is different.
func sameFile(source, target string) (bool, error) {
	from, err := os.Open(source)
	if err != nil {
		return false, fmt.Errorf("the plugin of this image: %w", err)
	}
	defer func() { _ = from.Close() }()
	to, err := os.Open(target)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = to.Close() }()
	if mode, err := to.Stat(); err != nil || mode.Mode().Perm() != 0o755 {
		return false, err
	}
	return sameContent(from, to)
}

func sameContent(a, b io.Reader) (bool, error) {
	const chunk = 64 << 10
	left, right := make([]byte, chunk), make([]byte, chunk)
	for {
		n, errLeft := io.ReadFull(a, left)
		m, errRight := io.ReadFull(b, right)
		if !bytes.Equal(left[:n], right[:m]) {
			return false, nil
		}
		ended := errors.Is(errLeft, io.EOF) || errors.Is(errLeft, io.ErrUnexpectedEOF)
		if ended {
			return true, nil
		}
		if err := errors.Join(errLeft, errRight); err != nil {
			return false, err
		}
	}
}

func copyFile(source, target string, mode fs.FileMode) error {
	from, err := os.Open(source)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	return writeAtomically(target, from, mode)
}

// writeAtomically replaces a file atomically: write to a temporary file, fsync, rename. A plugin that
// runs at this moment is not disturbed.
func writeAtomically(target string, content io.Reader, mode fs.FileMode) (err error) {
	file, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w: check that the directory of the node is mounted and writable", target, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	if _, err = io.Copy(file, content); err == nil {
		err = file.Chmod(mode)
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", target, err)
	}
	if err = os.Rename(file.Name(), target); err != nil {
		return err
	}
	return syncDir(filepath.Dir(target))
}

func syncDir(dir string) error {
	handle, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(handle.Sync(), handle.Close())
}
