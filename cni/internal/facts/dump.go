package facts

import (
	"errors"

	"github.com/vishvananda/netlink"
)

// A dump that another process's change interrupts may lack entries. On a busy node that is usual, so
// it is asked for again, a bounded number of times.
const dumpAttempts = 20

func dump[T any](ask func() ([]T, error)) (found []T, err error) {
	for range dumpAttempts {
		if found, err = ask(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return found, err
		}
	}
	return nil, err
}
