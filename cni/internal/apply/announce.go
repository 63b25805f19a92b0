package apply

import (
	"errors"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Announce sends gratuitous ARP and unsolicited NA for the addresses of an interface, so that machines
// which knew their former owner learn the new hardware address. Where it can it does without a packet
// socket, whose end costs a grace period of RCU.
func (k *Kernel) Announce(dev string, addresses []netip.Addr) error {
	link, err := k.Pod.Netlink.LinkByName(dev)
	if err != nil {
		return err
	}
	if link.Attrs().RawFlags&unix.IFF_NOARP != 0 {
		return nil // nobody resolves its addresses
	}
	assigned, err := k.Pod.Addresses(link, netlink.FAMILY_V4)
	if err != nil {
		return err
	}
	var errs []error
	var byFrame, ipv6 []netip.Addr
	for _, ip := range addresses {
		switch {
		case ip.Is6():
			ipv6 = append(ipv6, ip)
		case isSourceToItself(assigned, ip):
			errs = append(errs, k.solicit(link, ip))
		default:
			byFrame = append(byFrame, ip)
		}
	}
	if len(byFrame) > 0 {
		errs = append(errs, k.sendARP(dev, byFrame))
	}
	if len(ipv6) > 0 {
		errs = append(errs, k.Pod.Do(func() error { return advertise(link, ipv6) }))
	}
	return errors.Join(errs...)
}

// isSourceToItself says whether the kernel would ask for an IPv4 address with the address itself as
// sender: it is the first of its subnet on the link.
func isSourceToItself(assigned []netlink.Addr, ip netip.Addr) bool {
	for _, addr := range assigned {
		if addr.IPNet.Contains(ip.AsSlice()) {
			return addr.IP.Equal(ip.AsSlice())
		}
	}
	return false
}

// solicit lets the kernel ask for an address of its own, which is gratuitous ARP, and forget the question.
func (k *Kernel) solicit(link netlink.Link, ip netip.Addr) error {
	neigh := &netlink.Neigh{LinkIndex: link.Attrs().Index, Family: unix.AF_INET, Flags: netlink.NTF_USE, IP: toIP(ip)}
	if err := k.Pod.Netlink.NeighSet(neigh); err != nil {
		return err
	}
	err := k.Pod.Netlink.NeighDel(neigh)
	if isNotFound(err) {
		return nil
	}
	return err
}

// sendARP sends gratuitous ARP by a packet socket.
func (k *Kernel) sendARP(dev string, addresses []netip.Addr) error {
	socket, err := k.openPacketSocket(dev)
	if err != nil {
		return err
	}
	var errs []error
	for _, ip := range addresses {
		_, err := unix.Write(socket.fd, arpFrame(socket.mac, ip, ip))
		errs = append(errs, err)
	}
	return errors.Join(append(errs, socket.close())...)
}

// advertise sends unsolicited NA. A tentative address has no other owner that anybody could know, and
// cannot be sent from.
func advertise(link netlink.Link, addresses []netip.Addr) error {
	var errs []error
	for _, ip := range addresses {
		if err := advertiseOne(link, ip); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func advertiseOne(link netlink.Link, ip netip.Addr) error {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMPV6)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, hopLimit); err != nil {
		return err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet6{Addr: ip.As16()}); err != nil {
		return err
	}
	target := &unix.SockaddrInet6{Addr: allNodes.As16(), ZoneId: uint32(link.Attrs().Index)}
	return unix.Sendto(fd, neighborAdvertisement(link.Attrs().HardwareAddr, ip), 0, target)
}
