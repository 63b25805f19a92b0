package install

import (
	"os"
	"path/filepath"
)

// Clean removes temporary files of a run that was killed while it wrote.
func (i *Installer) Clean() {
	for _, pattern := range []string{
		filepath.Join(i.TargetDir, "."+Name+".[0-9]*"),
		filepath.Join(i.TargetDir, "."+filepath.Base(i.Backup())+".[0-9]*"),
		filepath.Join(filepath.Dir(i.DefaultsTarget), "."+filepath.Base(i.DefaultsTarget)+".[0-9]*"),
	} {
		leftovers, err := filepath.Glob(pattern)
		if err != nil {
			continue
		}
		for _, path := range leftovers {
			_ = os.Remove(path)
		}
	}
}
