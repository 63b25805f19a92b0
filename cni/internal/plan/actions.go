// Package plan decides what to change so that a pod and its node are as the configuration says.
// It reads nothing and changes nothing: facts and configuration in, an ordered list of operations
// out, each with the operation that takes it back. A plan made from the state that another plan
// left behind is empty; that is what CHECK uses.
package plan

import (
	"fmt"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// Action is one change in the kernel.
type Action interface {
	fmt.Stringer
	action()
}

// Op is a step of a plan: what to do and what takes it back. Undo is nil where there is nothing to
// take back: the change goes away with another one, or is shared with other pods.
type Op struct {
	Do   Action
	Undo Action
}

// The changes.
type (
	// AddVeth makes the pair, the pod's end in the pod and the node's end on the node.
	AddVeth struct {
		Pod, Host       string
		PodMAC, HostMAC string
		MTU             int
	}
	// DropLink deletes an interface.
	DropLink struct {
		Side facts.Side
		Dev  string
	}
	// SetAlias writes who owns an interface.
	SetAlias struct {
		Side       facts.Side
		Dev, Alias string
	}
	// SetMTU changes the MTU of an interface.
	SetMTU struct {
		Side facts.Side
		Dev  string
		MTU  int
	}
	// SetMAC changes the hardware address of an interface.
	SetMAC struct {
		Side     facts.Side
		Dev, MAC string
	}
	// SetUp switches an interface on or off.
	SetUp struct {
		Side facts.Side
		Dev  string
		Up   bool
	}
	// SetTxQLen changes the length of an interface's send queue.
	SetTxQLen struct {
		Side facts.Side
		Dev  string
		Len  int
	}
	// SetSysctl writes a key below /proc/sys.
	SetSysctl struct {
		Side       facts.Side
		Key, Value string
	}
	// PutAddr adds an address, without duplicate address detection.
	PutAddr struct {
		Side facts.Side
		Addr facts.Addr
	}
	// DropAddr removes an address.
	DropAddr struct {
		Side facts.Side
		Addr facts.Addr
	}
	// PutRoute adds a route or replaces the one with the same destination, table and metric.
	PutRoute struct {
		Side  facts.Side
		Route facts.Route
	}
	// AddRoute adds a route beside others with the same destination: replacing would hit the default
	// route of another interface.
	AddRoute struct {
		Side  facts.Side
		Route facts.Route
	}
	// DropRoute removes a route.
	DropRoute struct {
		Side  facts.Side
		Route facts.Route
	}
	// PutRule adds a policy rule.
	PutRule struct {
		Side facts.Side
		Rule facts.Rule
	}
	// DropRule removes a policy rule.
	DropRule struct {
		Side facts.Side
		Rule facts.Rule
	}
	// PutNeigh adds or replaces a permanent neighbour entry.
	PutNeigh struct {
		Side  facts.Side
		Neigh facts.Neigh
	}
	// DropNeigh removes a neighbour entry.
	DropNeigh struct {
		Side  facts.Side
		Neigh facts.Neigh
	}
	// PutMarks writes the private nftables table of a family, in one transaction. Replace is for a
	// table that is there and not as it should be; it costs the kernel a grace period.
	PutMarks struct {
		Family  facts.Family
		Replace bool
	}
	// DropMarks removes it.
	DropMarks struct{ Family facts.Family }
)

func (AddVeth) action()   {}
func (DropLink) action()  {}
func (SetAlias) action()  {}
func (SetMTU) action()    {}
func (SetMAC) action()    {}
func (SetUp) action()     {}
func (SetTxQLen) action() {}
func (SetSysctl) action() {}
func (PutAddr) action()   {}
func (DropAddr) action()  {}
func (PutRoute) action()  {}
func (AddRoute) action()  {}
func (DropRoute) action() {}
func (PutRule) action()   {}
func (DropRule) action()  {}
func (PutNeigh) action()  {}
func (DropNeigh) action() {}
func (PutMarks) action()  {}
func (DropMarks) action() {}
