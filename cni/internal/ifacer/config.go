// Package ifacer decides which VLAN interface and bond a network needs on the node, and what has to be
// done to get there. It is pure: internal/nodelinks reads the links and carries the operations out.
//
// The configuration is the one of Spiderpool's plugin of the same name (cmd/ifacer there).
package ifacer

import (
	"errors"
	"fmt"
	"strings"

	"github.com/containernetworking/cni/pkg/types"
	current "github.com/containernetworking/cni/pkg/types/100"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/netconf"
)

const (
	maxVLAN = 4094
	maxMode = 6
	// maxName is what fits into IFNAMSIZ with its end.
	maxName = 15
	// defaultBond is the name of a bond that names none, as in Spiderpool.
	defaultBond = "sp_bond0"
)

// Config is a validated configuration.
type Config struct {
	Network    string
	Version    string // CNI version of the configuration
	Interfaces []string
	VLAN       int   // 0: no VLAN
	Bond       *Bond // nil: no bond
	Prev       *current.Result
	Warnings   []string
}

// Bond is a configured bond.
type Bond struct {
	Name    string
	Mode    int
	Options Options
}

// network is the configuration as it is on the wire.
type network struct {
	types.PluginConf
	Interfaces []string `json:"interfaces"`
	VLAN       int      `json:"vlanID"`
	Bond       *struct {
		Name    string `json:"name"`
		Mode    int    `json:"mode"`
		Options string `json:"options"`
	} `json:"bond"`
}

// Parse reads and validates a configuration. Its errors name the field, the value and what is allowed.
func Parse(stdin []byte) (*Config, error) {
	raw := network{}
	if err := netconf.Decode(stdin, &raw); err != nil {
		return nil, fmt.Errorf("network %q: %w", raw.Name, err)
	}
	cfg := &Config{Network: raw.Name, Version: raw.CNIVersion, Interfaces: raw.Interfaces, VLAN: raw.VLAN}
	if err := cfg.parseBond(&raw); err != nil {
		return nil, fmt.Errorf("network %q: %w", raw.Name, err)
	}
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("network %q: %w", raw.Name, err)
	}
	prev, err := netconf.PrevResult(&raw.PluginConf)
	if err != nil {
		return nil, fmt.Errorf("network %q: %w", raw.Name, err)
	}
	cfg.Prev = prev
	return cfg, nil
}

// parseBond reads the bond. One of a single interface is passed over, as Spiderpool does: its
// operator writes it, and the next plugin's master is the interface itself.
func (c *Config) parseBond(raw *network) error {
	if raw.Bond == nil {
		return nil
	}
	bond := &Bond{Name: raw.Bond.Name, Mode: raw.Bond.Mode}
	if bond.Name == "" {
		bond.Name = defaultBond
	}
	if len(c.Interfaces) == 1 {
		c.Warnings = append(c.Warnings, fmt.Sprintf("bond %s is not made, for there is one interface only, %s", bond.Name, c.Interfaces[0]))
		return nil
	}
	if bond.Mode < 0 || bond.Mode > maxMode {
		return fmt.Errorf("bond.mode is %d: allowed are 0 to %d", bond.Mode, maxMode)
	}
	options, err := ParseOptions(raw.Bond.Options)
	if err != nil {
		return err
	}
	bond.Options = options
	c.Bond = bond
	return nil
}

func (c *Config) validate() error {
	if len(c.Interfaces) == 0 {
		return errors.New("interfaces is empty: name the interface that the VLAN is made on, or those of the bond")
	}
	seen := map[string]bool{}
	for i, name := range c.Interfaces {
		if err := validName(fmt.Sprintf("interfaces[%d]", i), name); err != nil {
			return err
		}
		if seen[name] {
			return fmt.Errorf("interfaces[%d] is %q, which is in the list twice: name each interface once", i, name)
		}
		seen[name] = true
	}
	if c.VLAN < 0 || c.VLAN > maxVLAN {
		return fmt.Errorf("vlanID is %d: allowed are 1 to %d, and 0 for no VLAN", c.VLAN, maxVLAN)
	}
	if len(c.Interfaces) > 1 && c.Bond == nil {
		return fmt.Errorf("interfaces are %s, and there is no bond: several interfaces need bond.name and bond.mode", strings.Join(c.Interfaces, ", "))
	}
	if c.Bond != nil {
		if err := c.validateBond(seen); err != nil {
			return err
		}
	}
	if name := c.VLANName(); len(name) > maxName {
		return fmt.Errorf("the VLAN interface would be %q, which has %d characters: an interface's name has at most %d, so rename %s",
			name, len(name), maxName, c.Parent())
	}
	return nil
}

func (c *Config) validateBond(members map[string]bool) error {
	if err := validName("bond.name", c.Bond.Name); err != nil {
		return err
	}
	if len(c.Bond.Name) > maxName {
		return fmt.Errorf("bond.name is %q, which has %d characters: an interface's name has at most %d", c.Bond.Name, len(c.Bond.Name), maxName)
	}
	if members[c.Bond.Name] {
		return fmt.Errorf("bond.name is %q, which is one of its own interfaces: give the bond another name", c.Bond.Name)
	}
	for _, option := range []string{Primary, ActiveSlave} {
		if name := c.Bond.Options[option]; name != "" && !members[name] {
			return fmt.Errorf("bond.options: %s is %q: allowed are the bond's interfaces, %s", option, name, strings.Join(c.Interfaces, ", "))
		}
	}
	return c.Bond.Options.validateFor(c.Bond.Mode)
}

// validName refuses what cannot name an interface. Alternative names may be longer than names.
func validName(field, name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/: \t\n\r\v\f") || strings.ContainsRune(name, 0) {
		return fmt.Errorf("%s is %q: an interface's name is not empty and has no slash, colon or space", field, name)
	}
	return nil
}

// Parent is the interface that the VLAN is made on: the bond if there is one.
func (c *Config) Parent() string {
	if c.Bond != nil {
		return c.Bond.Name
	}
	return c.Interfaces[0]
}

// VLANName is the name of the VLAN interface, which the next plugin has as its master; empty without VLAN.
func (c *Config) VLANName() string {
	if c.VLAN == 0 {
		return ""
	}
	return fmt.Sprintf("%s.%d", c.Parent(), c.VLAN)
}
