package main

import (
	"context"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// mark is what Istio's proxies set on their sockets; Istio's rules let packets with it pass.
const mark = 0x539

// kind is how a proxy takes and makes connections.
type kind struct {
	transparent  bool // takes connections to addresses that are not its own (TPROXY)
	keepsSource  bool // connects to the application from the client's address
	tunnels      bool // speaks to other pods of the mesh by a tunnel
	inboundMark  int  // of connections to the application
	outboundMark int
	listenMark   int // of connections that it takes
}

var kinds = map[string]kind{
	"sidecar": {}, // Envoy: known by its user
	"tproxy":  {transparent: true, keepsSource: true, inboundMark: mark},
	"ambient": {keepsSource: true, tunnels: true, inboundMark: mark, outboundMark: mark, listenMark: mark},
}

// passthrough is the source, by whether it is IPv4, from which Envoy connects to the application.
var passthrough = map[bool]netip.Addr{
	true:  netip.MustParseAddr("127.0.0.6"),
	false: netip.MustParseAddr("::6"),
}

func (k kind) listen(network, address string) (net.Listener, error) {
	config := net.ListenConfig{Control: func(network, _ string, raw syscall.RawConn) error {
		return control(raw, network == "tcp4", k.transparent, k.listenMark)
	}}
	return config.Listen(context.Background(), network, address)
}

// connect reaches a target from a source, which need not be an address of this pod when foreign.
func connect(source netip.Addr, target netip.AddrPort, mark int, foreign bool) (*net.TCPConn, error) {
	dialer := net.Dialer{Timeout: longestTalk}
	if source.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
	}
	dialer.Control = func(network, _ string, raw syscall.RawConn) error {
		return control(raw, network == "tcp4", foreign, mark)
	}
	connection, err := dialer.Dial("tcp", target.String())
	if err != nil {
		return nil, err
	}
	return connection.(*net.TCPConn), nil
}

func control(raw syscall.RawConn, ipv4, transparent bool, mark int) error {
	var failure error
	err := raw.Control(func(fd uintptr) {
		if transparent {
			failure = setTransparent(int(fd), ipv4)
		}
		if failure == nil && mark != 0 {
			failure = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, mark)
		}
	})
	if err != nil {
		return err
	}
	return failure
}

func setTransparent(fd int, ipv4 bool) error {
	if ipv4 {
		return unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_TRANSPARENT, 1)
	}
	return unix.SetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_TRANSPARENT, 1)
}
