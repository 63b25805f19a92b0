package nodelinks

import (
	"net"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/ifacer"
)

// numbers are the options of a bond that are numbers, with their fields.
func numbers(bond *netlink.Bond) map[string]func(set *int) int {
	return map[string]func(*int) int{
		"ad_actor_sys_prio": field(&bond.AdActorSysPrio),
		"ad_select":         field(&bond.AdSelect),
		"ad_user_port_key":  field(&bond.AdUserPortKey),
		"all_slaves_active": field(&bond.AllSlavesActive),
		"arp_all_targets":   field(&bond.ArpAllTargets),
		"arp_interval":      field(&bond.ArpInterval),
		"arp_validate":      field(&bond.ArpValidate),
		"downdelay":         field(&bond.DownDelay),
		"fail_over_mac":     field(&bond.FailOverMac),
		"lacp_rate":         field(&bond.LacpRate),
		"lp_interval":       field(&bond.LpInterval),
		"miimon":            field(&bond.Miimon),
		"min_links":         field(&bond.MinLinks),
		"num_grat_arp":      field(&bond.NumPeerNotif),
		"packets_per_slave": field(&bond.PacketsPerSlave),
		"primary_reselect":  field(&bond.PrimaryReselect),
		"resend_igmp":       field(&bond.ResendIgmp),
		"tlb_dynamic_lb":    field(&bond.TlbDynamicLb),
		"updelay":           field(&bond.UpDelay),
		"use_carrier":       field(&bond.UseCarrier),
		"xmit_hash_policy":  field(&bond.XmitHashPolicy),
	}
}

// field reads a number, and sets it when there is one to set.
func field[T ~int | ~uint8 | ~uint32](number *T) func(*int) int {
	return func(set *int) int {
		if set != nil {
			*number = T(*set)
		}
		return int(*number)
	}
}

// setOptions writes options into the attributes of a new bond. The active member is none of them: the
// kernel takes it only when it is in the bond.
func setOptions(bond *netlink.Bond, options ifacer.Options, index func(name string) (int, error)) error {
	fields := numbers(bond)
	for name, value := range options {
		switch name {
		case ifacer.ActiveSlave:
		case ifacer.Primary:
			primary, err := index(value)
			if err != nil {
				return err
			}
			bond.Primary = primary
		case ifacer.ActorSystem:
			mac, err := net.ParseMAC(value)
			if err != nil {
				return err
			}
			bond.AdActorSystem = mac
		case ifacer.ARPTargets:
			for target := range strings.SplitSeq(value, ",") {
				bond.ArpIpTargets = append(bond.ArpIpTargets, net.ParseIP(target))
			}
		default:
			number, err := strconv.Atoi(value)
			if err != nil {
				return err
			}
			fields[name](&number)
		}
	}
	return nil
}

// readOptions reads the options of a bond.
func readOptions(bond *netlink.Bond, name func(index int) string) ifacer.Options {
	options := ifacer.Options{ifacer.Primary: name(bond.Primary), ifacer.ActorSystem: bond.AdActorSystem.String()}
	for option, value := range numbers(bond) {
		options[option] = strconv.Itoa(value(nil))
	}
	targets := make([]string, 0, len(bond.ArpIpTargets))
	for _, target := range bond.ArpIpTargets {
		targets = append(targets, target.String())
	}
	options[ifacer.ARPTargets] = strings.Join(targets, ",")
	return options
}
