package ifacer

import (
	"fmt"
	"slices"
	"strings"
)

// optionModes are the modes that an option is for, where not all are (unsuppmodes of the kernel's bond_options.c).
var optionModes = map[string][]int{
	"ad_actor_sys_prio": {4},
	ActorSystem:         {4},
	"ad_user_port_key":  {4},
	"lacp_rate":         {4},
	arpInterval:         {0, 1, 2, 3},
	"arp_validate":      {0, 1, 2, 3},
	ActiveSlave:         {1, 5, 6},
	Primary:             {1, 5, 6},
	"packets_per_slave": {0},
}

const (
	arpInterval = "arp_interval"
	miimon      = "miimon"
)

// off is the number by which an option of monitoring is switched off, which every bond takes.
const off = "0"

// validateFor refuses what the kernel refuses of a bond of a mode without saying which option it means.
func (o Options) validateFor(mode int) error {
	for _, name := range o.names() {
		modes, limited := optionModes[name]
		if !limited || slices.Contains(modes, mode) || (name == arpInterval && o[name] == off) {
			continue
		}
		return fmt.Errorf("bond.options: %s does not go with bond.mode %d: it is for %s; remove it, or change the mode",
			name, mode, strings.Trim(strings.ReplaceAll(fmt.Sprint(modes), " ", ", "), "[]"))
	}
	if on := func(name string) bool { return o[name] != "" && o[name] != off }; on(miimon) && on(arpInterval) {
		return fmt.Errorf("bond.options: %s and %s exclude each other: remove one of them", miimon, arpInterval)
	}
	return nil
}
