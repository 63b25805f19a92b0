package main

import (
	"errors"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"

	"spidercoordinator/testbed/destination"
)

// intended is where the client wanted to go. What connection tracking does not know was not
// redirected: it is the local address.
func intended(connection *net.TCPConn) (netip.AddrPort, error) {
	found, err := destination.Original(connection)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOPROTOOPT) {
		return destination.Unmapped(connection.LocalAddr()), nil
	}
	return found, err
}
