package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Plugin is a CNI plugin of this product: a file of the image, and its place on the node.
type Plugin struct {
	Source    string // in the image
	TargetDir string // the node's directory of CNI plugins
}

// Name is what the plugin is called in the directory of CNI plugins.
func (p Plugin) Name() string { return filepath.Base(p.Source) }

// Target is the plugin's path on the node.
func (p Plugin) Target() string { return filepath.Join(p.TargetDir, p.Name()) }

// Backup is the path of the backup of another product's plugin. A runtime runs plugins by their type, so
// nothing ever runs a file of this name.
func (p Plugin) Backup() string { return filepath.Join(p.TargetDir, "."+p.Name()+".foreign") }

// sync puts the plugin in its place, and returns what it changed.
func (p Plugin) sync(replaceForeign bool) ([]string, error) {
	target := p.Target()
	same, err := sameFile(p.Source, target)
	if err != nil || same {
		return nil, err
	}
	var changed []string
	found, err := originOf(target)
	if err != nil {
		return nil, err
	}
	if found == foreign {
		if !replaceForeign {
			return nil, fmt.Errorf("%s belongs to another product (Spiderpool has a plugin of the same name): it is left alone; "+
				"remove that product, or allow its replacement with --replace-foreign", target)
		}
		// A copy, not a move: at no moment may the node be without a plugin of this name.
		if err := copyFile(target, p.Backup(), 0o755); err != nil {
			return nil, fmt.Errorf("back up the other product's plugin: %w", err)
		}
		changed = append(changed, "backed up "+target+" of another product as "+p.Backup())
	}
	if err := copyFile(p.Source, target, 0o755); err != nil {
		return changed, err
	}
	return append(changed, "installed "+target), nil
}

// restore restores the backup of another product's plugin.
func (p Plugin) restore() (changed []string, err error) {
	err = os.Rename(p.Backup(), p.Target())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("restore the other product's plugin: %w", err)
	}
	return []string{"restored " + p.Target() + " of another product"}, nil
}
