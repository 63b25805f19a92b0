package facts

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Routes are decoded here and not by the netlink library, which drops the number of a route's nexthop object
// and tunnels that it does not know: the kernel deletes such a route by neither device nor router.

// attrNexthopID is RTA_NH_ID, the number of a nexthop object (rtnetlink.h), which the unix package lacks.
const attrNexthopID = 30

// dumpedRoute is a route as the kernel dumps it.
type dumpedRoute struct {
	route Route // without device and router
	hops  []hop // one or more
	plain bool  // one or, in IPv6, several ways by device and router, and nothing else
}

type hop struct {
	link   int // index; 0: none
	gw     netip.Addr
	onlink bool
}

// scanRoutes dumps the routes of one table, or of all with RT_TABLE_UNSPEC, and decodes those to keep. For
// one table the kernel is asked to filter, where it can: a node has several IPv6 routes for every link of every
// pod.
func (n *Namespace) scanRoutes(family Family, table int, keep func(message []byte) bool) ([]dumpedRoute, error) {
	query := []nl.NetlinkRequestData{&nl.RtMsg{RtMsg: unix.RtMsg{Family: uint8(KernelFamily(family))}}}
	if table != unix.RT_TABLE_UNSPEC {
		query = append(query, nl.NewRtAttr(unix.RTA_TABLE, nl.Uint32Attr(uint32(table))))
	}
	messages, err := n.scan(unix.RTM_GETROUTE, unix.RTM_NEWROUTE, query, func(message []byte) bool {
		return isRouteOf(message, family, table) && keep(message)
	})
	if errors.Is(err, unix.ENOENT) || lacksFamily(family, err) {
		return nil, nil // no route has ever been in that table
	}
	if err != nil {
		return nil, fmt.Errorf("list %s routes: %w", family, err)
	}
	routes := make([]dumpedRoute, 0, len(messages))
	for _, message := range messages {
		routes = append(routes, decodeRoute(message, family))
	}
	return routes, nil
}

// isRouteOf says whether a dumped message is one of the routes that were asked for. A kernel without IPv6
// (ipv6.disable=1) answers a dump of its routes with those of all families, IPv4's.
func isRouteOf(message []byte, family Family, table int) bool {
	header := nl.DeserializeRtMsg(message)
	cached := header.Flags&unix.RTM_F_CLONED != 0
	return int(header.Family) == KernelFamily(family) && !cached && (table == unix.RT_TABLE_UNSPEC || tableOf(message) == table)
}

func tableOf(message []byte) int {
	return int(number(attribute(message, unix.SizeofRtMsg, unix.RTA_TABLE), uint32(message[offsetRtTable])))
}

func destination(message []byte, family Family) netip.Prefix {
	addr := toAddr(attribute(message, unix.SizeofRtMsg, unix.RTA_DST))
	if !addr.IsValid() {
		return toPrefix(nil, KernelFamily(family))
	}
	return netip.PrefixFrom(addr, int(message[offsetPrefixLen]))
}

// number decodes an attribute of 32 bits.
func number(value []byte, otherwise uint32) uint32 {
	if len(value) < 4 { //nolint:mnd // bytes
		return otherwise
	}
	return nl.NativeEndian().Uint32(value)
}

func decodeRoute(message []byte, family Family) dumpedRoute {
	header := nl.DeserializeRtMsg(message)
	value := func(kind uint16) []byte { return attribute(message, unix.SizeofRtMsg, kind) }
	metric := func(kind uint16) int { return int(number(attribute(value(unix.RTA_METRICS), 0, kind), 0)) }
	decoded := dumpedRoute{route: Route{
		Dst: destination(message, family), Src: toAddr(value(unix.RTA_PREFSRC)), Table: tableOf(message),
		Metric: int(number(value(unix.RTA_PRIORITY), 0)), MTU: metric(unix.RTAX_MTU), AdvMSS: metric(unix.RTAX_ADVMSS),
		Proto: int(header.Protocol), Scope: int(header.Scope),
	}}
	if header.Type != unix.RTN_UNICAST {
		decoded.route.Type = int(header.Type)
	}
	decoded.plain = decoded.route.Type == 0 && header.Tos == 0 && value(attrNexthopID) == nil && !isSpecialHop(message, unix.SizeofRtMsg)
	if several := value(unix.RTA_MULTIPATH); several != nil {
		hops, plain := decodeHops(several)
		decoded.hops, decoded.plain = hops, decoded.plain && plain && family == V6
		return decoded
	}
	decoded.hops = []hop{{
		int(number(value(unix.RTA_OIF), 0)), toAddr(value(unix.RTA_GATEWAY)), header.Flags&unix.RTNH_F_ONLINK != 0,
	}}
	return decoded
}

// decodeHops decodes RTA_MULTIPATH; plain: none of them is a tunnel or a router of the other family.
func decodeHops(several []byte) (hops []hop, plain bool) {
	plain = true
	for len(several) >= unix.SizeofRtNexthop {
		header := nl.DeserializeRtNexthop(several).RtNexthop
		length := int(header.Len)
		if length < unix.SizeofRtNexthop || length > len(several) {
			break
		}
		one := several[:length]
		hops = append(hops, hop{
			int(header.Ifindex), toAddr(attribute(one, unix.SizeofRtNexthop, unix.RTA_GATEWAY)), header.Flags&unix.RTNH_F_ONLINK != 0,
		})
		plain = plain && !isSpecialHop(one, unix.SizeofRtNexthop)
		several = several[min((length+unix.RTNH_ALIGNTO-1)&^(unix.RTNH_ALIGNTO-1), len(several)):]
	}
	return hops, plain
}

// isSpecialHop says whether a next hop is a tunnel or a router of the other family.
func isSpecialHop(message []byte, header int) bool {
	for _, kind := range []uint16{unix.RTA_ENCAP, unix.RTA_VIA, unix.RTA_NEWDST} {
		if attribute(message, header, kind) != nil {
			return true
		}
	}
	return false
}

// addRoute adds one route. IPv6 routes to the same destination through several next hops come as one
// message and are split, because the kernel also takes them one by one.
func (s *NetnsState) addRoute(dumped dumpedRoute, name linkNamer) {
	for _, hop := range dumped.hops {
		route := dumped.route
		route.Dev, route.Gw, route.Onlink = name(hop.link), hop.gw, hop.onlink
		if dumped.plain {
			s.Routes = append(s.Routes, route)
		} else {
			s.Special = append(s.Special, route)
		}
	}
}

// readRoutes reads the routes of all tables but the one of local addresses.
func readRoutes(namespace *Namespace, name linkNamer, state *NetnsState) error {
	for _, family := range Families {
		routes, err := namespace.scanRoutes(family, unix.RT_TABLE_UNSPEC, func(message []byte) bool { return tableOf(message) != TableLocal })
		if err != nil {
			return err
		}
		for _, route := range routes {
			state.addRoute(route, name)
		}
	}
	return nil
}
