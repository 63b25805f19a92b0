package plan

import (
	"net/netip"
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// Wanted is what an ADD has to find out on the network before it changes anything.
type Wanted struct {
	Own      []netip.Addr // addresses that no other machine may have
	Gateways []netip.Addr // routers that have to answer
}

// Own lists the addresses of the interface.
func Own(f *facts.Facts, req *Request) []netip.Addr {
	var own []netip.Addr
	for _, family := range facts.Families {
		own = append(own, req.addresses(f, req.IfName, family)...)
	}
	return own
}

// Detection decides what to ask, by the configuration and the interface's default routes.
func Detection(f *facts.Facts, req *Request) Wanted {
	var wanted Wanted
	if req.Config.DetectConflict {
		wanted.Own = Own(f, req)
	}
	if !req.Config.DetectGateway {
		return wanted
	}
	for _, route := range f.Pod.Routes {
		ours := route.Dev == req.IfName && route.Table == facts.TableMain && route.IsDefault()
		if ours && route.Gw.IsValid() && !slices.Contains(wanted.Gateways, route.Gw) {
			wanted.Gateways = append(wanted.Gateways, route.Gw)
		}
	}
	return wanted
}
