package facts

import (
	"errors"

	"github.com/vishvananda/netlink"
)

// A dump that another process's change interrupts may lack entries. On a busy node that is usual, so
// it is asked for again, a bounded number of times.
const dumpAttempts = 20

func dump[T any](list func() ([]T, error)) (entries []T, err error) {
	for range dumpAttempts {
		if entries, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return entries, err
		}
	}
	return nil, err
}
