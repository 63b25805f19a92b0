package main

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// soOriginalDst is SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST of the kernel's netfilter headers.
const soOriginalDst = 80

// originalDestination asks connection tracking where the client had wanted to go. Without an entry
// there was no redirection, and it is the local address.
func originalDestination(connection *net.TCPConn) (netip.AddrPort, error) {
	local, err := netip.ParseAddrPort(connection.LocalAddr().String())
	if err != nil {
		return netip.AddrPort{}, err
	}
	local = netip.AddrPortFrom(local.Addr().Unmap(), local.Port())
	raw, err := connection.SyscallConn()
	if err != nil {
		return netip.AddrPort{}, err
	}
	var original netip.AddrPort
	var asked error
	ask := func(fd uintptr) {
		if local.Addr().Is4() {
			original, asked = original4(int(fd))
		} else {
			original, asked = original6(fd)
		}
	}
	if err := raw.Control(ask); err != nil {
		return netip.AddrPort{}, err
	}
	if errors.Is(asked, unix.ENOENT) || errors.Is(asked, unix.ENOPROTOOPT) {
		return local, nil
	}
	return original, asked
}

// original4 reads a sockaddr_in; GetsockoptIPv6Mreq is used for its 20 bytes of room.
func original4(fd int) (netip.AddrPort, error) {
	room, err := unix.GetsockoptIPv6Mreq(fd, unix.IPPROTO_IP, soOriginalDst)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port := binary.BigEndian.Uint16(room.Multiaddr[2:4])
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(room.Multiaddr[4:8])), port), nil
}

// original6 reads a sockaddr_in6, for which the library has no typed call of the right size.
func original6(fd uintptr) (netip.AddrPort, error) {
	var address unix.RawSockaddrInet6
	size := uint32(unsafe.Sizeof(address))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.IPPROTO_IPV6, soOriginalDst,
		uintptr(unsafe.Pointer(&address)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return netip.AddrPort{}, errno
	}
	var port [2]byte
	binary.NativeEndian.PutUint16(port[:], address.Port)
	return netip.AddrPortFrom(netip.AddrFrom16(address.Addr), binary.BigEndian.Uint16(port[:])), nil
}
