package ifacer

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Names of options that decisions depend on.
const (
	Primary     = "primary"
	ActiveSlave = "active_slave"
	ARPTargets  = "arp_ip_target"
	ActorSystem = "ad_actor_system"
)

// Options are options of a bond by the names of the kernel's bonding.txt. A value is a decimal number,
// also where the kernel has words for it, the name of an interface, a MAC address, or IPv4 addresses in
// order, separated by commas.
type Options map[string]string

// optionKind is what values an option has.
type optionKind struct {
	max   int64    // greatest number, from 0
	words []string // words for the numbers from 0
	parse func(string) (string, error)
	says  string // what is allowed, for parse
}

func numbers(most int64) optionKind        { return optionKind{max: most} }
func words(names ...string) optionKind     { return optionKind{max: int64(len(names)) - 1, words: names} }
func onOff() optionKind                    { return words("off", "on") }
func named(says string) optionKind         { return optionKind{says: says, parse: verbatim} }
func verbatim(text string) (string, error) { return text, nil }

const most32 = 1<<31 - 1

// optionKinds are the options that the kernel's netlink interface sets (bond_netlink.c, bond_options.c)
// and their names: iproute2's, the kernel module's and Spiderpool's.
var optionKinds = map[string]optionKind{
	ActiveSlave:         named("one of the bond's interfaces"),
	"ad_actor_sys_prio": numbers(65535),
	ActorSystem:         {says: "a MAC address", parse: parseMAC},
	"ad_select":         words("stable", "bandwidth", "count"),
	"ad_user_port_key":  numbers(1023),
	"all_slaves_active": onOff(),
	"arp_all_targets":   words("any", "all"),
	"arp_interval":      numbers(most32),
	ARPTargets:          {says: "up to 16 IPv4 addresses, separated by commas", parse: parseTargets},
	"arp_validate":      words("none", "active", "backup", "all", "filter", "filter_active", "filter_backup"),
	"downdelay":         numbers(most32),
	"fail_over_mac":     words("none", "active", "follow"),
	"lacp_rate":         words("slow", "fast"),
	"lp_interval":       numbers(most32),
	"miimon":            numbers(most32),
	"min_links":         numbers(most32),
	"num_grat_arp":      numbers(255),
	"packets_per_slave": numbers(65535),
	Primary:             named("one of the bond's interfaces"),
	"primary_reselect":  words("always", "better", "failure"),
	"resend_igmp":       numbers(255),
	"tlb_dynamic_lb":    onOff(),
	"updelay":           numbers(most32),
	"use_carrier":       onOff(),
	"xmit_hash_policy":  words("layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"),
}

// optionAliases are other names of options. peer_notif_delay is what Spiderpool calls num_grat_arp.
var optionAliases = map[string]string{
	"up_delay": "updelay", "down_delay": "downdelay", "all_slaves_active_mode": "all_slaves_active",
	"num_unsol_na": "num_grat_arp", "num_peer_notif": "num_grat_arp", "peer_notif_delay": "num_grat_arp",
}

// ParseOptions reads options in the form `miimon=100;xmit_hash_policy=layer3+4`.
func ParseOptions(text string) (Options, error) {
	options := Options{}
	for item := range strings.SplitSeq(text, ";") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		name, value, found := strings.Cut(item, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !found || value == "" || strings.Contains(value, "=") {
			return nil, fmt.Errorf("bond.options has %q: an option is written as miimon=100, several as miimon=100;min_links=1", item)
		}
		if other, ok := optionAliases[name]; ok {
			name = other
		}
		kind, known := optionKinds[name]
		if !known {
			return nil, fmt.Errorf("bond.options has the option %q: allowed are %s", name, strings.Join(slices.Sorted(maps.Keys(optionKinds)), ", "))
		}
		parsed, ok := kind.value(value)
		if !ok {
			return nil, fmt.Errorf("bond.options: %s is %q: allowed is %s", name, value, kind.allowed())
		}
		if before, twice := options[name]; twice && before != parsed {
			return nil, fmt.Errorf("bond.options: %s is in it twice, with %s and %s: write it once", name, before, parsed)
		}
		options[name] = parsed
	}
	return options, nil
}

// value returns the form in which values are compared.
func (k optionKind) value(text string) (string, bool) {
	if k.parse != nil {
		parsed, err := k.parse(text)
		return parsed, err == nil
	}
	if i := slices.Index(k.words, strings.ToLower(text)); i >= 0 {
		return strconv.Itoa(i), true
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 0 || number > k.max {
		return "", false
	}
	return strconv.FormatInt(number, 10), true
}

func (k optionKind) allowed() string {
	switch {
	case k.says != "":
		return k.says
	case k.words != nil:
		return fmt.Sprintf("0 to %d or %s", k.max, strings.Join(k.words, ", "))
	default:
		return fmt.Sprintf("a whole number from 0 to %d", k.max)
	}
}

func parseMAC(text string) (string, error) {
	mac, err := net.ParseMAC(text)
	if err != nil || len(mac) != 6 {
		return "", fmt.Errorf("%q is no MAC address", text)
	}
	return mac.String(), nil
}

// maxTargets is BOND_MAX_ARP_TARGETS of the kernel.
const maxTargets = 16

// parseTargets reads 10.0.0.1,10.0.0.2, or the JSON list that Spiderpool takes.
func parseTargets(text string) (string, error) {
	items := strings.Split(text, ",")
	if strings.HasPrefix(text, "[") {
		if err := json.Unmarshal([]byte(text), &items); err != nil {
			return "", err
		}
	}
	targets := make([]string, 0, len(items))
	for _, item := range items {
		addr, err := netip.ParseAddr(strings.TrimSpace(item))
		if err != nil || !addr.Is4() {
			return "", fmt.Errorf("%q is no IPv4 address", item)
		}
		targets = append(targets, addr.String())
	}
	if len(targets) == 0 || len(targets) > maxTargets {
		return "", fmt.Errorf("%d addresses", len(targets))
	}
	return strings.Join(targets, ","), nil
}

// names lists the options in the order of their names.
func (o Options) names() []string { return slices.Sorted(maps.Keys(o)) }
