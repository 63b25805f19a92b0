// Package destination tells where a client wanted to go before netfilter's REDIRECT.
package destination

import (
	"encoding/binary"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// soOriginalDst is SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST of the kernel's netfilter headers.
const soOriginalDst = 80

// Original asks connection tracking where the client wanted to go before REDIRECT; it fails with
// ENOENT, or ENOPROTOOPT, when that knows nothing of the connection.
func Original(connection *net.TCPConn) (netip.AddrPort, error) {
	raw, err := connection.SyscallConn()
	if err != nil {
		return netip.AddrPort{}, err
	}
	ask := original6
	if Unmapped(connection.LocalAddr()).Addr().Is4() {
		ask = original4
	}
	var original netip.AddrPort
	var failure error
	if err := raw.Control(func(fd uintptr) { original, failure = ask(int(fd)) }); err != nil {
		return netip.AddrPort{}, err
	}
	return original, failure
}

// original4 reads a sockaddr_in; GetsockoptIPv6Mreq is used for its 20 bytes of room.
func original4(fd int) (netip.AddrPort, error) {
	room, err := unix.GetsockoptIPv6Mreq(fd, unix.SOL_IP, soOriginalDst)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port := binary.BigEndian.Uint16(room.Multiaddr[2:4])
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(room.Multiaddr[4:8])), port), nil
}

// original6 reads a sockaddr_in6, with which the structure that GetsockoptIPv6MTUInfo reads begins.
func original6(fd int) (netip.AddrPort, error) {
	room, err := unix.GetsockoptIPv6MTUInfo(fd, unix.SOL_IPV6, soOriginalDst)
	if err != nil {
		return netip.AddrPort{}, err
	}
	var port [2]byte
	binary.NativeEndian.PutUint16(port[:], room.Addr.Port)
	return netip.AddrPortFrom(netip.AddrFrom16(room.Addr.Addr), binary.BigEndian.Uint16(port[:])), nil
}

// Unmapped gives a TCP address with IPv4 as IPv4, also where a socket of both families took it.
func Unmapped(address net.Addr) netip.AddrPort {
	found := address.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(found.Addr().Unmap(), found.Port())
}
