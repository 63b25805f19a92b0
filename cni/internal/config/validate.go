package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
)

const (
	maxMTU      = 65535
	maxTable    = math.MaxUint32 // the kernel's tables are numbers of 32 bits
	maxQueueLen = math.MaxInt32
)

// validate converts the section into a Config, or returns which key has which invalid value.
func (n *network) validate() (*Config, error) {
	s := &n.section
	cfg := &Config{
		CNIVersion: n.CNIVersion, Network: n.Name,
		First: deref(s.First, DefaultFirst), TunePodRoutes: deref(s.TunePodRoutes, true),
		HostRuleTable: deref(s.HostRuleTable, DefaultHostRuleTable), TxQueueLen: deref(s.TxQueueLen, 0),
		HostRPFilter: s.HostRPFilter, PodRPFilter: deref(s.PodRPFilter, 0),
		DetectGateway: deref(s.DetectGateway, false), DetectConflict: deref(s.DetectConflict, false),
		Announce:       deref(s.Announce, true),
		NotReadyReason: deref(s.NotReadyReason, ""), DefaultRouteNIC: strings.TrimSpace(deref(s.DefaultRouteNIC, "")),
	}
	if n.Args.CNI.DefaultRouteNIC != nil {
		cfg.DefaultRouteNIC, cfg.PodChoseNIC = strings.TrimSpace(*n.Args.CNI.DefaultRouteNIC), true
	}
	if cfg.First == "" {
		cfg.First = DefaultFirst
	}
	var err error
	if cfg.Mode, err = parseMode(deref(s.Mode, "")); err != nil || cfg.Mode == ModeDisabled {
		return cfg, err
	}
	if err := n.validateNumbers(cfg); err != nil {
		return nil, err
	}
	if err := n.validateAddresses(cfg); err != nil {
		return nil, err
	}
	return cfg, nil
}

func parseMode(text string) (Mode, error) {
	switch text {
	case "", string(ModeAuto):
		return ModeAuto, nil
	case string(ModeUnderlay), string(ModeOverlay), string(ModeDisabled):
		return Mode(text), nil
	case "disable": // the spelling that peers' plugins know
		return ModeDisabled, nil
	}
	return "", fmt.Errorf("unknown tuneMode: %s: mode must be one of auto, underlay, overlay, disabled", text)
}

func (n *network) validateNumbers(cfg *Config) error {
	s := &n.section
	if s.VethMTU != nil {
		if cfg.VethMTU = *s.VethMTU; cfg.VethMTU <= 0 || cfg.VethMTU > maxMTU {
			return fmt.Errorf("vethMTU must be greater than 0 and at most %d, not %d: leave it out to have it detected", maxMTU, cfg.VethMTU)
		}
	}
	if cfg.HostRuleTable <= 0 || cfg.HostRuleTable > maxTable || (cfg.HostRuleTable >= 253 && cfg.HostRuleTable <= 255) {
		return fmt.Errorf("hostRuleTable %d cannot be used: name a table from 1 to %d that is not 253, 254 or 255", cfg.HostRuleTable, maxTable)
	}
	if cfg.TxQueueLen < 0 || cfg.TxQueueLen > maxQueueLen {
		return fmt.Errorf("txQueueLen %d cannot be used: it is 1 to %d, and 0 leaves the queue length alone", cfg.TxQueueLen, maxQueueLen)
	}
	if cfg.PodRPFilter > 2 {
		return fmt.Errorf("invalid rp_filter value %d in podRPFilter, available options: [-1,0,1,2]", cfg.PodRPFilter)
	}
	if deref(cfg.HostRPFilter, 0) > 2 {
		return fmt.Errorf("invalid rp_filter value %d in hostRPFilter, available options: [-1,0,1,2]", *cfg.HostRPFilter)
	}
	return nil
}

func (n *network) validateAddresses(cfg *Config) error {
	s := &n.section
	for _, list := range []struct {
		key   string
		cidrs []string
	}{
		{"overlayPodCIDR", deref(s.OverlayPodCIDR, nil)},
		{"serviceCIDR", deref(s.ServiceCIDR, nil)},
		{"hijackCIDR", deref(s.HijackCIDR, nil)},
	} {
		for _, text := range list.cidrs {
			cidr, err := parseCIDR(text)
			if err != nil {
				return fmt.Errorf("%s: invalid CIDR address: %q: write an address or a network such as 10.96.0.0/12", list.key, text)
			}
			cfg.CIDRs = append(cfg.CIDRs, cidr)
		}
	}
	var err error
	if cfg.PolicyRoutes, err = parsePolicyRoutes(deref(s.PolicyRoutes, nil)); err != nil {
		return err
	}
	if cfg.MACPrefix, err = parseMACPrefix(deref(s.MACPrefix, "")); err != nil {
		return err
	}
	if text := strings.TrimSpace(deref(s.VethLinkAddress, "")); text != "" {
		addr, err := parseAddr(text)
		if err != nil || !isAssignable(addr) {
			return fmt.Errorf("vethLinkAddress %q is not an IP address of an interface: write one such as 169.254.100.1, without a prefix length", text)
		}
		cfg.VethLinkAddress = addr
	}
	return nil
}

// errForm is the error of an address in a form that routes and links cannot have.
var errForm = errors.New("it has a zone or is an IPv4 address in IPv6 form")

// parseAddr reads an address, as the CRDs do without a zone and not in the form ::ffff:10.0.0.1: the kernel
// would take that for an address of either family.
func parseAddr(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(strings.TrimSpace(text))
	if err == nil && (addr.Zone() != "" || addr.Is4In6()) {
		return netip.Addr{}, errForm
	}
	return addr, err
}

// isAssignable says whether an interface can have the address and be reached by it: the kernel refuses
// others, or drops their packets as martian.
func isAssignable(addr netip.Addr) bool {
	martian := addr.Is4() && (addr.As4()[0] == 0 || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}))
	return !addr.IsUnspecified() && !addr.IsMulticast() && !addr.IsLoopback() && !martian
}

// parseCIDR reads a network, or an address as the network of that one; host bits are cleared.
func parseCIDR(text string) (netip.Prefix, error) {
	if addr, err := parseAddr(text); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(strings.TrimSpace(text))
	if err == nil && prefix.Addr().Is4In6() {
		err = errForm
	}
	return prefix.Masked(), err
}

func parsePolicyRoutes(entries []policyRoute) ([]PolicyRoute, error) {
	routes := make([]PolicyRoute, 0, len(entries))
	for _, entry := range entries {
		dst, err := parseCIDR(entry.Dst)
		if err != nil {
			return nil, fmt.Errorf("policyRoutes: invalid route dst %q: write an address or a network", entry.Dst)
		}
		gw, err := parseAddr(entry.Gw)
		if err != nil || !isAssignable(gw) {
			return nil, fmt.Errorf("policyRoutes: invalid route gw %q: write the address of a router", entry.Gw)
		}
		if dst.Addr().Is4() != gw.Is4() {
			return nil, fmt.Errorf("policyRoutes: route dst %q and gw %q must use the same IP family", entry.Dst, entry.Gw)
		}
		routes = append(routes, PolicyRoute{dst, gw})
	}
	return routes, nil
}

// parseMACPrefix reads the first two bytes of a unicast MAC address, such as 0a:1b.
func parseMACPrefix(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	fail := func(why string) error {
		return fmt.Errorf("podMACPrefix %q %s: write the first two bytes of a MAC address, like 0a:1b", text, why)
	}
	if len(text) != 5 || (text[2] != ':' && text[2] != '-') {
		return nil, fail("is no MAC prefix")
	}
	prefix, err := hex.DecodeString(text[:2] + text[3:])
	if err != nil {
		return nil, fail("is not hexadecimal")
	}
	if prefix[0]&1 != 0 {
		return nil, fail("is of a multicast MAC: the lowest bit of the first byte must be 0")
	}
	return prefix, nil
}
