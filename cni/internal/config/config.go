// Package config reads what the runtime hands to the plugin: the network configuration on stdin,
// the node's defaults file, and the CNI arguments.
package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"

	"github.com/containernetworking/cni/pkg/types"
	current "github.com/containernetworking/cni/pkg/types/100"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/netconf"
)

// Mode selects the veth pair that connects the pod with its node.
type Mode string

// The modes. Auto becomes underlay or overlay by what is in the pod.
const (
	ModeAuto     Mode = "auto"
	ModeUnderlay Mode = "underlay"
	ModeOverlay  Mode = "overlay"
	ModeDisabled Mode = "disabled"
)

// Defaults for what neither the network configuration nor the node's defaults file says.
const (
	DefaultHostRuleTable = 500
	DefaultFirst         = "eth0"
)

// PolicyRoute is one static route through the interface of the call.
type PolicyRoute struct {
	Dst netip.Prefix
	Gw  netip.Addr
}

// Config is the checked configuration of one call.
type Config struct {
	CNIVersion string
	Network    string
	Prev       *current.Result // nil when the runtime gave none

	Mode            Mode
	CIDRs           []netip.Prefix // pod, service and hijack CIDRs, in this order
	PolicyRoutes    []PolicyRoute
	MACPrefix       []byte // two bytes, or empty
	DefaultRouteNIC string
	// PodChoseNIC: the pod itself named DefaultRouteNIC, not its network or the cluster.
	PodChoseNIC     bool
	First           string // name of the first interface of a pod
	TunePodRoutes   bool
	HostRuleTable   int
	PodRPFilter     int  // negative: leave alone
	HostRPFilter    *int // nil or negative: leave alone
	TxQueueLen      int  // 0: leave alone
	VethLinkAddress netip.Addr
	VethMTU         int // 0: detect
	DetectGateway   bool
	DetectConflict  bool
	Announce        bool
	NotReadyReason  string
	// ValidAttachments is what the runtime knows at GC; nil when it gave no list.
	ValidAttachments []types.GCAttachment

	section section // as it is written, with the node's defaults
}

// section is the coordinator section as it is written; nil means not set.
type section struct {
	Mode            *string        `json:"mode"`
	OverlayPodCIDR  *[]string      `json:"overlayPodCIDR"`
	ServiceCIDR     *[]string      `json:"serviceCIDR"`
	HijackCIDR      *[]string      `json:"hijackCIDR"`
	PolicyRoutes    *[]policyRoute `json:"policyRoutes"`
	MACPrefix       *string        `json:"podMACPrefix"`
	DefaultRouteNIC *string        `json:"podDefaultRouteNic"` // matches podDefaultRouteNIC too: JSON keys of Go ignore case
	First           *string        `json:"podDefaultCniNic"`
	TunePodRoutes   *bool          `json:"tunePodRoutes"`
	HostRuleTable   *int           `json:"hostRuleTable"`
	PodRPFilter     *int           `json:"podRPFilter"`
	HostRPFilter    *int           `json:"hostRPFilter"`
	TxQueueLen      *int           `json:"txQueueLen"`
	VethLinkAddress *string        `json:"vethLinkAddress"`
	VethMTU         *int           `json:"vethMTU"`
	DetectGateway   *bool          `json:"detectGateway"`
	DetectConflict  *bool          `json:"detectIPConflict"`
	Announce        *bool          `json:"announce"`
	NotReadyReason  *string        `json:"notReadyReason"`
}

type policyRoute struct {
	Dst string `json:"dst"`
	Gw  string `json:"gw"`
}

type network struct {
	types.PluginConf
	section
	Args struct {
		CNI struct {
			DefaultRouteNIC *string `json:"podDefaultRouteNic"`
		} `json:"cni"`
	} `json:"args"`
}

// Parse reads the configuration of an ADD or CHECK and checks every value. The node's defaults file
// fills in for a section that was written by hand: one without the CIDRs of the cluster.
func Parse(stdin []byte, defaultsPath string) (*Config, error) {
	conf, err := decode(stdin)
	if err != nil {
		return nil, err
	}
	if err := conf.applyDefaults(defaultsPath); err != nil {
		return nil, err
	}
	cfg, err := conf.validate()
	if err != nil {
		return nil, fmt.Errorf("network %q: %w", conf.Name, err)
	}
	cfg.section = conf.section
	if cfg.Prev, err = netconf.PrevResult(&conf.PluginConf); err != nil {
		return nil, fmt.Errorf("network %q: %w", conf.Name, err)
	}
	return cfg, nil
}

// ParseLenient reads what a DEL or GC can use and never fails for a value that only ADD needs, so
// that a pod with a bad configuration can still be deleted.
func ParseLenient(stdin []byte, defaultsPath string) *Config {
	cfg := &Config{First: DefaultFirst, HostRuleTable: DefaultHostRuleTable, Mode: ModeAuto, PodRPFilter: -1}
	conf, err := decode(stdin)
	var mismatch *netconf.TypeError
	if err != nil && !errors.As(err, &mismatch) {
		return cfg
	}
	_ = conf.applyDefaults(defaultsPath)
	cfg.Network, cfg.CNIVersion, cfg.ValidAttachments = conf.Name, conf.CNIVersion, conf.ValidAttachments
	if cfg.ValidAttachments == nil && hasValidAttachments(stdin) {
		cfg.ValidAttachments = []types.GCAttachment{}
	}
	cfg.First = deref(conf.First, DefaultFirst)
	if table := deref(conf.HostRuleTable, 0); table > 0 {
		cfg.HostRuleTable = table
	}
	cfg.Prev, _ = netconf.PrevResult(&conf.PluginConf)
	return cfg
}

// hasValidAttachments says whether the runtime named the valid attachments, be it as null for none.
func hasValidAttachments(stdin []byte) bool {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(stdin, &keys); err != nil {
		return false
	}
	_, ok := keys["cni.dev/valid-attachments"]
	return ok
}

// NotReadyReason returns why pods cannot be connected now, or nothing. Where the coordinator is
// disabled there is nothing to be ready for.
func NotReadyReason(stdin []byte, defaultsPath string) string {
	conf, err := decode(stdin)
	if err != nil {
		return ""
	}
	_ = conf.applyDefaults(defaultsPath)
	if mode, err := parseMode(deref(conf.Mode, "")); err == nil && mode == ModeDisabled {
		return ""
	}
	return deref(conf.section.NotReadyReason, "")
}

// decode returns what could be decoded also beside a *netconf.TypeError.
func decode(stdin []byte) (*network, error) {
	conf := &network{}
	if err := netconf.Decode(stdin, conf); err != nil {
		return conf, fmt.Errorf("network %q: %w", conf.Name, err)
	}
	return conf, nil
}

func deref[T any](value *T, fallback T) T {
	if value == nil {
		return fallback
	}
	return *value
}
