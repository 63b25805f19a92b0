package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// DefaultsPath is where the node's installer writes the defaults of the cluster.
const DefaultsPath = "/var/lib/spidercoordinator/defaults.json"

// applyDefaults sets the section's unset keys from the defaults file. A section that names the
// cluster's CIDRs was written by the operator and is complete: what it leaves out is meant to be
// left out. Lists are replaced, never joined.
func (n *network) applyDefaults(path string) error {
	if n.OverlayPodCIDR != nil || n.ServiceCIDR != nil || n.section.NotReadyReason != nil {
		return nil
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if mode, err := parseMode(deref(n.Mode, "")); (err == nil && mode == ModeDisabled) || n.HijackCIDR != nil {
			return nil
		}
		return fmt.Errorf("network %q: the coordinator section names no overlayPodCIDR, serviceCIDR or hijackCIDR and the node's defaults file %s is missing: "+
			"check that the pod of the spidercoordinator node installer runs on this node, "+
			"or write mode, overlayPodCIDR and serviceCIDR into the section", n.Name, path)
	}
	if err != nil {
		return fmt.Errorf("the node's defaults file: %w", err)
	}
	defaults := section{}
	if err := json.Unmarshal(content, &defaults); err != nil {
		return fmt.Errorf("the node's defaults file %s: %w: delete it and restart the pod of the node installer", path, err)
	}
	n.mergeSection(defaults)
	return nil
}

func (n *network) mergeSection(d section) {
	s := &n.section
	setDefault(&s.Mode, d.Mode)
	setDefault(&s.OverlayPodCIDR, d.OverlayPodCIDR)
	setDefault(&s.ServiceCIDR, d.ServiceCIDR)
	setDefault(&s.HijackCIDR, d.HijackCIDR)
	setDefault(&s.PolicyRoutes, d.PolicyRoutes)
	setDefault(&s.MACPrefix, d.MACPrefix)
	setDefault(&s.DefaultRouteNIC, d.DefaultRouteNIC)
	setDefault(&s.First, d.First)
	setDefault(&s.TunePodRoutes, d.TunePodRoutes)
	setDefault(&s.HostRuleTable, d.HostRuleTable)
	setDefault(&s.PodRPFilter, d.PodRPFilter)
	setDefault(&s.HostRPFilter, d.HostRPFilter)
	setDefault(&s.TxQueueLen, d.TxQueueLen)
	setDefault(&s.VethLinkAddress, d.VethLinkAddress)
	setDefault(&s.VethMTU, d.VethMTU)
	setDefault(&s.DetectGateway, d.DetectGateway)
	setDefault(&s.DetectConflict, d.DetectConflict)
	setDefault(&s.Announce, d.Announce)
	setDefault(&s.NotReadyReason, d.NotReadyReason)
}

func setDefault[T any](value **T, other *T) {
	if *value == nil {
		*value = other
	}
}
