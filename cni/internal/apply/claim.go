package apply

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// An ADD and the one that holds an address at that moment: it takes milliseconds, and seconds only where it waits for
// duplicate address detection.
const (
	claimDeadline = 20 * time.Second
	claimInterval = 2 * time.Millisecond
)

// ClaimError says that an ADD of another container with the same address does not end.
type ClaimError struct{ Address netip.Addr }

func (e *ClaimError) Error() string {
	return fmt.Sprintf("another ADD of this node with the address %s has not ended after %s: two containers have it, or that process hangs "+
		"(ss -xl | grep '%s' names its socket)", e.Address, claimDeadline, claimName(e.Address))
}

func claimName(ip netip.Addr) string { return "@spidercoordinator/" + ip.String() }

// Claim waits until no other ADD of the node is about to use one of the addresses, and keeps others waiting until this
// process ends: they then find to whom the address is routed. The kernel decides it by names of sockets (unix(7),
// abstract), which are each node's own, need no file, and end with the process however it ends.
func (k *Kernel) Claim(addresses []netip.Addr) error {
	sorted := slices.SortedFunc(slices.Values(addresses), netip.Addr.Compare) // so that no two wait for each other
	deadline := time.Now().Add(claimDeadline)
	for _, ip := range slices.Compact(sorted) {
		if err := k.Host.Do(func() error { return claim(ip, deadline) }); err != nil {
			return err
		}
	}
	return nil
}

func claim(ip netip.Addr, deadline time.Time) error {
	socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("claim the address %s: %w", ip, err)
	}
	for {
		err := unix.Bind(socket, &unix.SockaddrUnix{Name: claimName(ip)})
		if err == nil {
			return nil // the socket ends with the process
		}
		if !errors.Is(err, unix.EADDRINUSE) {
			return errors.Join(fmt.Errorf("claim the address %s: %w", ip, err), unix.Close(socket))
		}
		if time.Now().After(deadline) {
			return errors.Join(&ClaimError{ip}, unix.Close(socket))
		}
		time.Sleep(claimInterval)
	}
}
