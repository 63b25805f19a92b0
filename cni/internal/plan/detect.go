package plan

import (
	"net/netip"
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// DetectionTargets is what ADD probes on the network before any change.
type DetectionTargets struct {
	Addresses []netip.Addr // probed for conflicts (RFC 5227, RFC 4862)
	Gateways  []netip.Addr // have to answer
}

// InterfaceAddresses lists the addresses of the interface of this call.
func InterfaceAddresses(f *facts.Facts, req *Request) []netip.Addr {
	var addresses []netip.Addr
	for _, family := range facts.Families {
		addresses = append(addresses, req.addresses(f, req.IfName, family)...)
	}
	return addresses
}

// Detect selects the targets by the configuration and the interface's default routes.
func Detect(f *facts.Facts, req *Request) DetectionTargets {
	var targets DetectionTargets
	if req.Config.DetectConflict {
		targets.Addresses = InterfaceAddresses(f, req)
	}
	if !req.Config.DetectGateway {
		return targets
	}
	for _, route := range f.Pod.Routes {
		isDefault := route.Dev == req.IfName && route.Table == facts.TableMain && route.IsDefault()
		if isDefault && route.Gw.IsValid() && !slices.Contains(targets.Gateways, route.Gw) {
			targets.Gateways = append(targets.Gateways, route.Gw)
		}
	}
	return targets
}
