package counters

import (
	"sort"
	"time"
)

// Call is one call of a plugin that is counted.
type Call struct {
	file  *File
	first int // its verb's first cell
	began time.Time
}

// Begin counts that a call began. Where nothing is counted, the call is not either: the absence, the age or the state
// of the file is no reason to fail, or to say a word on the standard error that a runtime logs for each pod.
func Begin(path string, plugin Plugin, verb Verb, began time.Time) *Call {
	file, err := Open(path)
	if err != nil {
		return &Call{}
	}
	call := &Call{file: file, first: cellOf(plugin, verb), began: began}
	file.add(call.first+callBegun, 1)
	return call
}

// End counts that the call ended, at which step, and how long it took.
func (c *Call) End(step Step) {
	if c.file == nil {
		return
	}
	elapsed := time.Since(c.began)
	bucket := sort.Search(len(Bounds), func(index int) bool { return elapsed <= Bounds[index] })
	c.file.add(c.first+callEnded+int(step), 1)
	c.file.add(c.first+callBuckets+bucket, 1)
	c.file.add(c.first+callNanos, uint64(elapsed))
	c.file.Close()
	c.file = nil
}

// Repaired counts what the installer set right.
func (f *File) Repaired(what Repair) {
	if f != nil {
		f.add(cellRepairs+int(what), 1)
	}
}

// Resynced counts a resync of the installer, which ended now.
func (f *File) Resynced(now time.Time, failed bool) {
	if f == nil {
		return
	}
	cell := cellResyncs
	if failed {
		cell = cellResyncsFailed
	}
	f.add(cell, 1)
	f.store(cellLastResync, uint64(now.Unix()))
}
