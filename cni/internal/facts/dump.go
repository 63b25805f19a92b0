package facts

import (
	"errors"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
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

// scan asks for a dump and returns the messages to keep, which are not decoded: a node has thousands of
// entries of other pods, and the kernel has no filter for most of what tells them apart.
func (n *Namespace) scan(kind, answer uint16, query []nl.NetlinkRequestData, keep func(message []byte) bool) ([][]byte, error) {
	socket, err := n.dumpSocket()
	if err != nil {
		return nil, err
	}
	return dump(func() ([][]byte, error) {
		request := nl.NewNetlinkRequest(int(kind), unix.NLM_F_DUMP)
		request.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: socket}
		for _, data := range query {
			request.AddData(data)
		}
		var kept [][]byte
		err := request.ExecuteIter(unix.NETLINK_ROUTE, answer, func(message []byte) bool {
			if keep(message) {
				kept = append(kept, message)
			}
			return true
		})
		return kept, err
	})
}

// dumpSocket returns a socket whose dumps the kernel filters by the fields of the request, where it can.
func (n *Namespace) dumpSocket() (*nl.SocketHandle, error) {
	if n.dumps != nil {
		return n.dumps, nil
	}
	err := n.Do(func() error {
		socket, err := nl.Subscribe(unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		// Before Linux 4.20 there is no such option, and everything is dumped.
		_ = unix.SetsockoptInt(socket.GetFd(), unix.SOL_NETLINK, unix.NETLINK_GET_STRICT_CHK, 1)
		n.dumps = &nl.SocketHandle{Socket: socket}
		return nil
	})
	return n.dumps, err
}

// attribute returns the value of a routing attribute, or nil; header is the length of what comes before
// the first one (rtnetlink(7)).
func attribute(message []byte, header int, kind uint16) []byte {
	for rest := message[min(header, len(message)):]; len(rest) >= unix.SizeofRtAttr; {
		length := int(nl.NativeEndian().Uint16(rest))
		if length < unix.SizeofRtAttr || length > len(rest) {
			return nil
		}
		if nl.NativeEndian().Uint16(rest[2:])&^unix.NLA_F_NESTED == kind {
			return rest[unix.SizeofRtAttr:length]
		}
		rest = rest[min((length+unix.RTA_ALIGNTO-1)&^(unix.RTA_ALIGNTO-1), len(rest)):]
	}
	return nil
}
