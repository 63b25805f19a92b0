package main

import (
	"errors"
	"path/filepath"
	"time"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/counters"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/install"
)

// tally is the node's file of counters, by its path; the empty one counts nothing.
type tally string

// tallyOf is the file beside the node's defaults file, where the plugins look for it.
func tallyOf(installer *install.Installer) tally {
	return tally(filepath.Join(filepath.Dir(installer.DefaultsTarget), filepath.Base(counters.Path)))
}

// prepared makes the file, or removes it where nothing is to be counted. An error is logged, and no reason not to install.
func prepared(file tally, wanted bool) tally {
	if wanted {
		report(nil, counters.Ensure(string(file)))
		return file
	}
	report(nil, counters.Remove(string(file)))
	return ""
}

// repaired counts what was set right.
func (t tally) repaired(what counters.Repair) {
	t.count(func(file *counters.File) { file.Repaired(what) })
}

// counting is a resync that is counted, and makes the file again when it is gone.
func (t tally) counting(resync func() ([]string, error)) func() ([]string, error) {
	if t == "" {
		return resync
	}
	return func() ([]string, error) {
		fileErr := counters.Ensure(string(t))
		changed, err := resync()
		t.count(func(file *counters.File) { file.Resynced(time.Now(), err != nil) })
		return changed, errors.Join(err, fileErr)
	}
}

func (t tally) count(what func(*counters.File)) {
	if t == "" {
		return
	}
	file, err := counters.Open(string(t))
	if err != nil {
		return
	}
	defer file.Close()
	what(file)
}
