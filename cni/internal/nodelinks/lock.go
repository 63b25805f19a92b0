package nodelinks

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Lock is held on the node's network namespace, so that pods that start at the same time make each
// interface once. It needs no file of its own, and ends with the process.
type Lock struct{ file *os.File }

// LockShared waits until nobody makes interfaces.
func LockShared() (*Lock, error) { return lock(unix.LOCK_SH) }

// LockExclusive waits until nobody reads or makes interfaces.
func LockExclusive() (*Lock, error) { return lock(unix.LOCK_EX) }

func lock(how int) (*Lock, error) {
	file, err := os.Open("/proc/self/ns/net")
	if err != nil {
		return nil, fmt.Errorf("lock the node's network namespace: %w", err)
	}
	for {
		err := unix.Flock(int(file.Fd()), how)
		if err == nil {
			return &Lock{file}, nil
		}
		if !errors.Is(err, unix.EINTR) {
			_ = file.Close()
			return nil, fmt.Errorf("lock the node's network namespace: %w", err)
		}
	}
}

// Unlock releases the lock.
func (l *Lock) Unlock() { _ = l.file.Close() }
