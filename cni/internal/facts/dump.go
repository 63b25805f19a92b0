package facts

import (
	"errors"

	"github.com/vishvananda/netlink"
)

// A dump that a concurrent change interrupts (NLM_F_DUMP_INTR) may lack entries. On a busy node that
// is usual, so it is retried, a bounded number of times.
const dumpAttempts = 20

func dump[T any](list func() ([]T, error)) (entries []T, err error) {
	for range dumpAttempts {
		if entries, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return entries, err
		}
	}
	return nil, err
}
