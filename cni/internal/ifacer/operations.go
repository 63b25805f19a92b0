package ifacer

import "fmt"

// Operation is one step to the desired state. Links are named by their names, not by alternative ones.
type Operation interface {
	fmt.Stringer
	operation()
}

// SetUp sets a link up.
type SetUp struct{ Name string }

// SetMTU raises the MTU of a link.
type SetMTU struct {
	Name        string
	MTU, Before int
}

// AddVLAN makes a VLAN interface, which is up afterwards and has its parent's MTU.
type AddVLAN struct {
	Name, Parent string
	ID           int
}

// AddBond makes a bond without members.
type AddBond struct {
	Name    string
	Mode    int
	Options Options
	MTU     int
}

// Enslave puts a link into a bond. WasUp: it is up before.
type Enslave struct {
	Name, Bond string
	WasUp      bool
}

// Activate makes a member the active one.
type Activate struct{ Name, Bond string }

func (SetUp) operation()    {}
func (SetMTU) operation()   {}
func (AddVLAN) operation()  {}
func (AddBond) operation()  {}
func (Enslave) operation()  {}
func (Activate) operation() {}

func (o SetUp) String() string  { return "set " + o.Name + " up" }
func (o SetMTU) String() string { return fmt.Sprintf("set the MTU of %s to %d", o.Name, o.MTU) }
func (o AddVLAN) String() string {
	return fmt.Sprintf("add interface %s with VLAN %d on %s", o.Name, o.ID, o.Parent)
}
func (o AddBond) String() string {
	return fmt.Sprintf("add bond %s with mode %d and MTU %d", o.Name, o.Mode, o.MTU)
}
func (o Enslave) String() string  { return fmt.Sprintf("put %s into bond %s", o.Name, o.Bond) }
func (o Activate) String() string { return fmt.Sprintf("make %s active in bond %s", o.Name, o.Bond) }
