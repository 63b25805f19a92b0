package facts

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/nftables"
	netfilter "github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// errAlwaysChanging says that no reading of nftables came to its end before the next change.
var errAlwaysChanging = errors.New("the nftables ruleset changes again and again while it is read")

// ReadRuleset reads nftables as one transaction left it. Chains come and go between two requests, and the
// rules of a chain that went are an empty answer, so read is called again when the kernel's generation of
// the ruleset changed meanwhile. It needs CAP_NET_ADMIN.
func ReadRuleset[T any](namespace *Namespace, read func(*nftables.Conn) (T, error)) (T, error) {
	var none T
	conn, err := namespace.NFTables()
	if err != nil {
		return none, fmt.Errorf("open an nftables socket: %w", err)
	}
	var socket *netfilter.Conn
	err = namespace.Do(func() (err error) {
		socket, err = netfilter.Dial(unix.NETLINK_NETFILTER, nil)
		return err
	})
	if err != nil {
		return none, fmt.Errorf("open an nftables socket: %w", err)
	}
	defer func() { _ = socket.Close() }()
	generation := func() (uint32, error) { return rulesetGeneration(socket) }
	return unchanged(generation, func() (T, error) { return read(conn) })
}

// unchanged returns what was read between two equal generations. What failed meanwhile counts no more than
// what succeeded.
func unchanged[T any](generation func() (uint32, error), read func() (T, error)) (T, error) {
	var none T
	before, err := generation()
	if err != nil {
		return none, err
	}
	for range dumpAttempts {
		result, readErr := read()
		after, err := generation()
		if err != nil {
			return none, err
		}
		if before == after {
			return result, readErr
		}
		before = after
	}
	return none, errAlwaysChanging
}

// rulesetGeneration asks for the number of the last transaction (NFT_MSG_GETGEN).
func rulesetGeneration(socket *netfilter.Conn) (uint32, error) {
	answers, err := socket.Execute(netfilter.Message{
		Header: netfilter.Header{Type: unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_GETGEN, Flags: netfilter.Request},
		Data:   make([]byte, nfgenmsgSize),
	})
	if err != nil {
		return 0, fmt.Errorf("read the generation of the nftables ruleset: %w", err)
	}
	for _, answer := range answers {
		attributes, err := netfilter.NewAttributeDecoder(answer.Data[min(nfgenmsgSize, len(answer.Data)):])
		if err != nil {
			return 0, fmt.Errorf("read the generation of the nftables ruleset: %w", err)
		}
		attributes.ByteOrder = binary.BigEndian
		for attributes.Next() {
			if attributes.Type() == unix.NFTA_GEN_ID {
				return attributes.Uint32(), attributes.Err()
			}
		}
	}
	return 0, errors.New("read the generation of the nftables ruleset: the kernel's answer has none")
}

// nfgenmsgSize is the length of struct nfgenmsg, which comes before attributes.
const nfgenmsgSize = 4
