package install

import (
	"os"
	"path/filepath"
)

// Clean removes temporary files of a run that was killed while it wrote.
func (i *Installer) Clean() {
	targets := []string{i.DefaultsTarget}
	for _, plugin := range i.Plugins() {
		targets = append(targets, plugin.Target(), plugin.Backup())
	}
	for _, target := range targets {
		leftovers, err := filepath.Glob(filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+".[0-9]*"))
		if err != nil {
			continue
		}
		for _, path := range leftovers {
			_ = os.Remove(path)
		}
	}
}
