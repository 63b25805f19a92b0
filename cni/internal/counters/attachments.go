package counters

import (
	"hash/fnv"
	"io"
	"sync/atomic"
)

// Two tables of fixed size, each an array of slots that begin with a key, 0 for a free one. A key is looked for in the
// slots behind the one that it leads to, as many as the window says, so that a slot may be freed at any time. What finds
// no slot is not recorded.
const (
	networkSlots    = 1024
	networkCells    = 2 // key, newest revision
	attachmentSlots = 2048
	attachmentCells = 3 // key, network's key, revision
	window          = 64
)

// Attachment is an interface of a pod, and the configuration that it was set up with.
type Attachment struct {
	ContainerID, IfName string
	// Network and PodNamespace tell one network from another: the name of a network is not unique in a cluster, and pods
	// of a namespace that name it mean the same one.
	Network, PodNamespace string
	Revision              uint64 // of the configuration
}

// Counts says whether the call is counted, so that nothing is worked out for nobody.
func (c *Call) Counts() bool { return c.file != nil }

// Attached records that an interface was set up now, so that its revision is the newest of its network.
func (c *Call) Attached(attachment Attachment) {
	file := c.file
	if file == nil {
		return
	}
	_ = guarded(func() {
		network := keyOf(attachment.Network, attachment.PodNamespace)
		known, ok := file.claim(cellNetworks, networkSlots, networkCells, network)
		if !ok {
			return
		}
		atomic.StoreUint64(file.cell(known+1), attachment.Revision)
		slot, ok := file.claim(cellAttachments, attachmentSlots, attachmentCells, keyOf(attachment.ContainerID, attachment.IfName))
		if ok {
			atomic.StoreUint64(file.cell(slot+2), attachment.Revision)
			atomic.StoreUint64(file.cell(slot+1), network)
		}
	})
}

// Detached forgets an interface.
func (c *Call) Detached(containerID, ifName string) {
	file := c.file
	if file == nil {
		return
	}
	_ = guarded(func() {
		key := keyOf(containerID, ifName)
		for number := range window {
			slot := slotOf(cellAttachments, attachmentSlots, attachmentCells, key, number)
			if atomic.LoadUint64(file.cell(slot)) == key {
				atomic.StoreUint64(file.cell(slot+1), 0)
				atomic.StoreUint64(file.cell(slot), 0)
			}
		}
	})
}

// claim finds the slot of a key, or takes a free one for it.
func (f *File) claim(table, slots, size int, key uint64) (slot int, ok bool) {
	for number := range window {
		slot := slotOf(table, slots, size, key, number)
		if atomic.LoadUint64(f.cell(slot)) == key {
			return slot, true
		}
	}
	for number := range window {
		slot := slotOf(table, slots, size, key, number)
		if atomic.CompareAndSwapUint64(f.cell(slot), 0, key) || atomic.LoadUint64(f.cell(slot)) == key {
			return slot, true
		}
	}
	return 0, false
}

func slotOf(table, slots, size int, key uint64, number int) int {
	return table + int((key+uint64(number))%uint64(slots))*size
}

// keyOf makes a key of two words, never 0.
func keyOf(one, two string) uint64 {
	sum := fnv.New64a()
	_, _ = io.WriteString(sum, one+"\x00"+two)
	return sum.Sum64() | 1
}

// countRevisions tells how many interfaces were set up with the newest revision of their network, and with older ones.
func countRevisions(values []uint64) (newest, older uint64) {
	revisions := map[uint64]uint64{}
	for slot := range networkSlots {
		first := cellNetworks + slot*networkCells
		revisions[values[first]] = values[first+1]
	}
	for slot := range attachmentSlots {
		first := cellAttachments + slot*attachmentCells
		key, network, revision := values[first], values[first+1], values[first+2]
		switch {
		case key == 0 || network == 0:
		case revisions[network] == revision:
			newest++
		default:
			older++
		}
	}
	return newest, older
}
