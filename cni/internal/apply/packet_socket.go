package apply

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Times of a probe. Without a conflict it lasts three intervals; a silent gateway is given six.
const (
	probeInterval   = 70 * time.Millisecond
	conflictProbes  = 3
	gatewayProbes   = 6
	longestEthernet = 2048
)

// packetSocket is an AF_PACKET socket on an interface of the pod.
type packetSocket struct {
	fd  int
	mac net.HardwareAddr
}

func (k *Kernel) openPacketSocket(dev string) (*packetSocket, error) {
	link, err := k.Pod.Netlink.LinkByName(dev)
	if err != nil {
		return nil, err
	}
	socket := &packetSocket{mac: link.Attrs().HardwareAddr}
	allProtocols := uint16(unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8) //nolint:mnd // network byte order
	err = k.Pod.Do(func() error {
		socket.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(allProtocols))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open a packet socket: %w", err)
	}
	address := &unix.SockaddrLinklayer{Protocol: allProtocols, Ifindex: link.Attrs().Index}
	if err := unix.Bind(socket.fd, address); err != nil {
		return nil, errors.Join(err, socket.close())
	}
	return socket, nil
}

func (s *packetSocket) close() error { return unix.Close(s.fd) }

// Detection is what to probe before a pod's addresses are used.
type Detection struct {
	Dev       string
	Addresses []netip.Addr // probed for conflicts
	Gateways  []netip.Addr // have to answer
	Sources   []netip.Addr // sender addresses of requests to gateways
}

// Detect probes for conflicts first, all addresses at the same time, and then for the gateways. Its
// error names the first conflict or the gateway that did not answer.
func (k *Kernel) Detect(d Detection) error {
	socket, err := k.openPacketSocket(d.Dev)
	if err != nil {
		return fmt.Errorf("detection: %w", err)
	}
	defer func() { _ = socket.close() }()
	if len(d.Addresses) > 0 {
		for range conflictProbes {
			if err := socket.probe(d, d.Addresses, nil); err != nil {
				return err
			}
		}
	}
	unanswered := map[netip.Addr]bool{}
	for _, ip := range d.Gateways {
		unanswered[ip] = true
	}
	for round := 0; round < gatewayProbes && len(unanswered) > 0; round++ {
		if err := socket.probe(d, nil, unanswered); err != nil {
			return err
		}
	}
	for _, ip := range d.Gateways {
		if unanswered[ip] {
			return fmt.Errorf("gateway %s is unreachable: nothing answered on interface %s within %s; "+
				"check the gateway of the network's ipam section, VLAN and master interface, or switch detectGateway off",
				ip, d.Dev, gatewayProbes*probeInterval)
		}
	}
	return nil
}

// probe sends one request each and listens for one interval, or until every gateway has answered.
func (s *packetSocket) probe(d Detection, addresses []netip.Addr, unanswered map[netip.Addr]bool) error {
	var errs []error
	for _, ip := range addresses {
		unspecified := netip.IPv4Unspecified()
		if ip.Is6() {
			unspecified = netip.IPv6Unspecified()
		}
		errs = append(errs, s.sendRequest(unspecified, ip))
	}
	for gateway := range unanswered {
		for _, source := range d.Sources {
			if source.Is4() == gateway.Is4() {
				errs = append(errs, s.sendRequest(source, gateway))
				break
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("detection: %w", err)
	}
	return s.listen(d.Dev, addresses, unanswered)
}

func (s *packetSocket) sendRequest(sender, target netip.Addr) error {
	frame := arpFrame(s.mac, sender, target)
	if target.Is6() {
		frame = neighborSolicitation(s.mac, sender, target)
	}
	_, err := unix.Write(s.fd, frame)
	return err
}

// listen reads for one interval and deletes gateways that answer from unanswered.
func (s *packetSocket) listen(dev string, addresses []netip.Addr, unanswered map[netip.Addr]bool) error {
	frame := make([]byte, longestEthernet)
	for end := time.Now().Add(probeInterval); ; {
		remaining := time.Until(end)
		if remaining <= 0 || len(addresses)+len(unanswered) == 0 {
			return nil
		}
		ready := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(ready, int(remaining/time.Millisecond)+1); err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("detection: %w", err)
		}
		size, _, err := unix.Recvfrom(s.fd, frame, unix.MSG_DONTWAIT)
		if err != nil {
			continue // no frame, or the link was down for a moment; the deadline bounds the loop
		}
		ip, mac, ok := claimedAddress(frame[:size])
		if !ok || bytes.Equal(mac, s.mac) {
			continue
		}
		delete(unanswered, ip)
		if slices.Contains(addresses, ip) {
			return fmt.Errorf("ip conflict: pod's interface %s with an conflicting ip %s, %s is located at %s: "+
				"find that machine, and keep its address out of the network's pool", dev, ip, ip, mac)
		}
	}
}
