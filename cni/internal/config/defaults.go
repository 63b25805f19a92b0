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

// fill takes what the section does not say from the defaults file. A section that names the
// cluster's CIDRs was written by the operator and is complete: what it leaves out is meant to be
// left out. Lists are replaced, never joined.
func (n *network) fill(path string) error {
	if n.OverlayPodCIDR != nil || n.ServiceCIDR != nil || n.section.NotReadyReason != nil {
		return nil
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if n.section == (section{}) {
			return fmt.Errorf("network %q: the coordinator section names no values and the node's defaults file %s is missing: "+
				"check that the pod of the spidercoordinator node installer runs on this node, "+
				"or write mode, overlayPodCIDR and serviceCIDR into the section", n.Name, path)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("the node's defaults file: %w", err)
	}
	defaults := section{}
	if err := json.Unmarshal(content, &defaults); err != nil {
		return fmt.Errorf("the node's defaults file %s: %w: delete it and restart the pod of the node installer", path, err)
	}
	n.merge(defaults)
	return nil
}

func (n *network) merge(d section) {
	s := &n.section
	fallback(&s.Mode, d.Mode)
	fallback(&s.OverlayPodCIDR, d.OverlayPodCIDR)
	fallback(&s.ServiceCIDR, d.ServiceCIDR)
	fallback(&s.HijackCIDR, d.HijackCIDR)
	fallback(&s.PolicyRoutes, d.PolicyRoutes)
	fallback(&s.MACPrefix, d.MACPrefix)
	fallback(&s.DefaultRouteNIC, d.DefaultRouteNIC)
	fallback(&s.First, d.First)
	fallback(&s.TunePodRoutes, d.TunePodRoutes)
	fallback(&s.HostRuleTable, d.HostRuleTable)
	fallback(&s.PodRPFilter, d.PodRPFilter)
	fallback(&s.HostRPFilter, d.HostRPFilter)
	fallback(&s.TxQueueLen, d.TxQueueLen)
	fallback(&s.VethLinkAddress, d.VethLinkAddress)
	fallback(&s.VethMTU, d.VethMTU)
	fallback(&s.DetectGateway, d.DetectGateway)
	fallback(&s.DetectConflict, d.DetectConflict)
	fallback(&s.NotReadyReason, d.NotReadyReason)
}

func fallback[T any](value **T, other *T) {
	if *value == nil {
		*value = other
	}
}
