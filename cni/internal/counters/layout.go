package counters

import (
	"hash/fnv"
	"io"
	"strconv"
	"strings"
)

// The file is an array of unsigned 64 bit numbers in the node's byte order:
//
//	0        signature of the layout
//	1 …      of the installer: resyncs that succeeded, that failed, when the last one ended (seconds since 1970), repairs
//	then     of each verb of each plugin: calls begun, calls ended by step, durations by bucket, nanoseconds in all
//	then     the tables of networks and of attachments
const (
	cellSignature = iota
	cellResyncs
	cellResyncsFailed
	cellLastResync
	cellRepairs
	cellCalls = cellRepairs + len(repairNames)

	callBegun       = 0
	callEnded       = 1
	callBuckets     = callEnded + len(stepNames)
	callNanos       = callBuckets + len(Bounds) + 1
	cellsPerCall    = callNanos + 1
	cellNetworks    = cellCalls + len(pluginNames)*len(verbNames)*cellsPerCall
	cellAttachments = cellNetworks + networkSlots*networkCells
	cells           = cellAttachments + attachmentSlots*attachmentCells
	bytesPerCell    = 8
	bytesInLayout   = cells * bytesPerCell
)

// signature tells one layout from another, so that a plugin never counts in a file of another version. It is
// what hashOfLayout gives, which would take a while at each call; a test compares them.
const signature uint64 = 0xa79830c077fcade7

// hashOfLayout is another number for each change of what the cells are.
func hashOfLayout() uint64 {
	sum := fnv.New64a()
	for _, names := range [][]string{pluginNames[:], verbNames[:], stepNames[:], repairNames[:]} {
		_, _ = io.WriteString(sum, strings.Join(names, ",")+";")
	}
	for _, bound := range Bounds {
		_, _ = io.WriteString(sum, strconv.FormatInt(int64(bound), 10)+",")
	}
	for _, number := range []int{networkSlots, networkCells, attachmentSlots, attachmentCells, window} {
		_, _ = io.WriteString(sum, strconv.Itoa(number)+";")
	}
	return sum.Sum64()
}

// cellOf is the first cell of a verb of a plugin.
func cellOf(plugin Plugin, verb Verb) int {
	return cellCalls + (int(plugin)*len(verbNames)+int(verb))*cellsPerCall
}
