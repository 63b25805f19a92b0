// Package plan computes the changes from the observed state of a pod and its node to the desired one.
// It is pure: facts and configuration in, an ordered list of operations out, each with the operation
// that undoes it. The plan for the desired state is empty; CHECK relies on that.
package plan

import (
	"fmt"
	"net/netip"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// Action is one change in the kernel.
type Action interface {
	fmt.Stringer
	action()
}

// Op is a step of a plan and its rollback. Undo is nil where nothing is to be rolled back: the change
// is undone with another one, or shared with other pods.
type Op struct {
	Do   Action
	Undo Action
}

// The changes.
type (
	// AddVeth creates the veth pair, one end in the pod and its peer on the node.
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
	// SetAlias sets the alias of an interface: its owner.
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
	// SetUp sets an interface up or down.
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
	// AwaitAddr waits until duplicate address detection of an address has ended.
	AwaitAddr struct {
		Side facts.Side
		Dev  string
		IP   netip.Addr
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
		// New: there was none. One that came meanwhile is another container's, and is not replaced.
		New bool
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
	// PutMarks adds the private nftables table of a family, in one transaction. Replace is for an
	// existing table that differs; it costs the kernel an RCU grace period.
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
func (AwaitAddr) action() {}
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
