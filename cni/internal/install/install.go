// Package install reconciles the plugins and the defaults file on a node.
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

// Installer has the paths of an installation.
type Installer struct {
	Sources        []string // the plugins in the image
	TargetDir      string   // the node's directory of CNI plugins
	DefaultsSource string   // optional: the effective configuration of the cluster
	DefaultsTarget string
	ReplaceForeign bool   // back up and replace other products' plugins of the same names
	UninstallMark  string // optional: a file that is not empty while the product is being uninstalled
	OnReplaced     func() // optional: called for each plugin that was put in its place
}

// Plugins are the plugins of the installation.
func (i *Installer) Plugins() []Plugin {
	plugins := make([]Plugin, 0, len(i.Sources))
	for _, source := range i.Sources {
		plugins = append(plugins, Plugin{Source: source, TargetDir: i.TargetDir})
	}
	return plugins
}

// Sync reconciles plugins and defaults file and returns what it changed. The defaults come first: the
// runtime calls a plugin from the moment it is there. What cannot be done for one hinders no other.
func (i *Installer) Sync() (changed []string, err error) {
	changed, err = i.syncDefaults()
	for _, plugin := range i.Plugins() {
		more, pluginErr := plugin.sync(i.ReplaceForeign)
		changed, err = append(changed, more...), errors.Join(err, pluginErr)
		if len(more) > 0 && i.OnReplaced != nil {
			i.OnReplaced()
		}
	}
	return changed, err
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

// Restore restores the backups of other products' plugins.
func (i *Installer) Restore() (changed []string, err error) {
	for _, plugin := range i.Plugins() {
		more, pluginErr := plugin.restore()
		changed, err = append(changed, more...), errors.Join(err, pluginErr)
	}
	return changed, err
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
