package facts

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// HostLink reads one link of the node; ok is false when there is none of that name.
func HostLink(host *Namespace, name string) (link Link, ok bool, err error) {
	return linkByName(host.Netlink, name)
}

func linkByName(handle *netlink.Handle, name string) (link Link, ok bool, err error) {
	nlLink, err := handle.LinkByName(name)
	var notFound netlink.LinkNotFoundError
	if errors.As(err, &notFound) {
		return Link{}, false, nil
	}
	if err != nil {
		return Link{}, false, fmt.Errorf("get link %s of the node: %w", name, err)
	}
	return fromLink(nlLink), true, nil
}

// HostLinks reads all links of the node.
func HostLinks(host *Namespace) ([]Link, error) {
	var state NetnsState
	_, err := readLinks(host, &state)
	return state.Links, err
}

// HostQuery selects the node's entries that DEL looks at.
type HostQuery struct {
	Addrs   []netip.Addr // addresses of the interface
	Metric  int          // of routes to the interface in overlay mode
	Indexes []int        // of links
}

// ReadHostEntries reads this plugin's routes to addresses, or with a metric, the neighbours of the same
// addresses, and the links of both.
func ReadHostEntries(host *Namespace, query HostQuery, state *NetnsState) error {
	links := newLinkCache(host.Netlink)
	for _, index := range query.Indexes {
		links.name(index)
	}
	addrs := addrSet{}
	for _, ip := range query.Addrs {
		addrs[ip] = true
	}
	for _, family := range Families {
		ofInterface := func(message []byte) bool {
			dst, metric := destination(message, family), number(attribute(message, unix.SizeofRtMsg, unix.RTA_PRIORITY), 0)
			return nl.DeserializeRtMsg(message).Protocol == Proto && dst.IsSingleIP() && (int(metric) == query.Metric || addrs.has(dst.Addr()))
		}
		routes, err := host.scanRoutes(family, unix.RT_TABLE_UNSPEC, ofInterface)
		if err != nil {
			return fmt.Errorf("read the routes of the node: %w", err)
		}
		for _, route := range routes {
			addrs[route.route.Dst.Addr()] = true
			state.addRoute(route, links.name)
		}
	}
	var err error
	state.Neighs, err = readNeighs(host, familiesOf(addrs), addrs.has, links.name)
	state.Links = links.all()
	return err
}

// ReadPodRoutes reads what DEL needs of a living pod.
func ReadPodRoutes(pod *Namespace, state *NetnsState) error {
	_, err := readRouting(pod, state)
	return err
}
