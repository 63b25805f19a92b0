package counters

import (
	"sync/atomic"
	"time"
)

// Calls are the counts of a verb of a plugin.
type Calls struct {
	Begun   uint64
	Ended   [len(stepNames)]uint64  // by Step
	Buckets [len(Bounds) + 1]uint64 // how many took at most Bounds[i] and longer than the one before; the last: longer than all
	Spent   time.Duration           // in all
}

// Counts are all counts of a node.
type Counts struct {
	Calls          [len(pluginNames)][len(verbNames)]Calls // by Plugin and Verb
	Resyncs        uint64                                  // that succeeded
	ResyncsFailed  uint64
	LastResyncUnix uint64                   // seconds since 1970, 0 for none
	Repairs        [len(repairNames)]uint64 // by Repair
	Newest         uint64                   // interfaces that were set up with the newest revision of their network
	Older          uint64                   // interfaces that were set up with another one
}

// Read reads all counts. Those of one call may be seen in part: they are counted one after another.
func Read(path string) (*Counts, error) {
	file, err := OpenToRead(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	values := make([]uint64, cells)
	err = guarded(func() {
		for index := range values {
			values[index] = atomic.LoadUint64(file.cell(index))
		}
	})
	if err != nil {
		return nil, err
	}
	counts := &Counts{
		Resyncs: values[cellResyncs], ResyncsFailed: values[cellResyncsFailed], LastResyncUnix: values[cellLastResync],
	}
	copy(counts.Repairs[:], values[cellRepairs:])
	counts.Newest, counts.Older = countRevisions(values)
	for plugin := range counts.Calls {
		for verb := range counts.Calls[plugin] {
			first := cellOf(Plugin(plugin), Verb(verb))
			calls := &counts.Calls[plugin][verb]
			calls.Begun, calls.Spent = values[first+callBegun], time.Duration(values[first+callNanos])
			copy(calls.Ended[:], values[first+callEnded:])
			copy(calls.Buckets[:], values[first+callBuckets:])
		}
	}
	return counts, nil
}
