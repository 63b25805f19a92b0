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

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
)

// Times of a probe. Without a conflict it lasts three intervals; a silent gateway is given six.
const (
	probeInterval   = 70 * time.Millisecond
	conflictProbes  = 3
	gatewayProbes   = 6
	longestEthernet = 2048
)

// wire is a raw socket on an interface of the pod.
type wire struct {
	fd  int
	mac net.HardwareAddr
}

func (k *Kernel) openWire(dev string) (*wire, error) {
	link, err := k.Pod.Netlink.LinkByName(dev)
	if err != nil {
		return nil, err
	}
	opened := &wire{mac: link.Attrs().HardwareAddr}
	everything := uint16(unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8) //nolint:mnd // network byte order
	err = k.Pod.Do(func() error {
		opened.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(everything))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open a packet socket: %w", err)
	}
	address := &unix.SockaddrLinklayer{Protocol: everything, Ifindex: link.Attrs().Index}
	if err := unix.Bind(opened.fd, address); err != nil {
		return nil, errors.Join(err, opened.close())
	}
	return opened, nil
}

func (w *wire) close() error { return unix.Close(w.fd) }

// Announce tells the neighbours on an interface which hardware address its addresses have now.
func (k *Kernel) Announce(dev string, own []netip.Addr) error {
	w, err := k.openWire(dev)
	if err != nil {
		return err
	}
	var failed []error
	for _, ip := range own {
		frame := arp(w.mac, ip, ip)
		if facts.FamilyOf(ip) == facts.V6 {
			frame = advertise(w.mac, ip)
		}
		_, err := unix.Write(w.fd, frame)
		failed = append(failed, err)
	}
	return errors.Join(append(failed, w.close())...)
}

// Detection is what to find out before a pod's addresses are used.
type Detection struct {
	Dev      string
	Own      []netip.Addr // does another machine have one of these?
	Gateways []netip.Addr // does each of these answer?
	Sources  []netip.Addr // addresses to ask gateways from
}

// Detect asks for conflicts first, for all addresses at the same time and without claiming them, and
// then for the gateways. Its error names the first conflict or the gateway that did not answer.
func (k *Kernel) Detect(d Detection) error {
	w, err := k.openWire(d.Dev)
	if err != nil {
		return fmt.Errorf("detection: %w", err)
	}
	defer func() { _ = w.close() }()
	if len(d.Own) > 0 {
		for range conflictProbes {
			if err := w.round(d, d.Own, nil); err != nil {
				return err
			}
		}
	}
	silent := map[netip.Addr]bool{}
	for _, ip := range d.Gateways {
		silent[ip] = true
	}
	for round := 0; round < gatewayProbes && len(silent) > 0; round++ {
		if err := w.round(d, nil, silent); err != nil {
			return err
		}
	}
	for _, ip := range d.Gateways {
		if silent[ip] {
			return fmt.Errorf("gateway %s is unreachable: nothing answered on interface %s within %s; "+
				"check the gateway of the network's ipam section, VLAN and master interface, or switch detectGateway off",
				ip, d.Dev, gatewayProbes*probeInterval)
		}
	}
	return nil
}

// round asks once and listens for one interval, or until every gateway has answered.
func (w *wire) round(d Detection, own []netip.Addr, silent map[netip.Addr]bool) error {
	var failed []error
	for _, ip := range own {
		nobody := netip.IPv4Unspecified()
		if ip.Is6() {
			nobody = netip.IPv6Unspecified()
		}
		failed = append(failed, w.ask(nobody, ip))
	}
	for gateway := range silent {
		for _, source := range d.Sources {
			if source.Is4() == gateway.Is4() {
				failed = append(failed, w.ask(source, gateway))
				break
			}
		}
	}
	if err := errors.Join(failed...); err != nil {
		return fmt.Errorf("detection: %w", err)
	}
	return w.listen(d.Dev, own, silent)
}

func (w *wire) ask(sender, target netip.Addr) error {
	frame := arp(w.mac, sender, target)
	if target.Is6() {
		frame = solicit(w.mac, sender, target)
	}
	_, err := unix.Write(w.fd, frame)
	return err
}

// listen reads for one interval and strikes out the gateways that answer.
func (w *wire) listen(dev string, own []netip.Addr, silent map[netip.Addr]bool) error {
	frame := make([]byte, longestEthernet)
	for end := time.Now().Add(probeInterval); ; {
		left := time.Until(end)
		if left <= 0 || len(own)+len(silent) == 0 {
			return nil
		}
		ready := []unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(ready, int(left/time.Millisecond)+1); err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("detection: %w", err)
		}
		size, _, err := unix.Recvfrom(w.fd, frame, unix.MSG_DONTWAIT)
		if err != nil {
			continue // nothing came, or the interface was down for a moment; the time is bounded
		}
		ip, mac, ok := claimed(frame[:size])
		if !ok || bytes.Equal(mac, w.mac) {
			continue
		}
		delete(silent, ip)
		if slices.Contains(own, ip) {
			return fmt.Errorf("ip conflict: pod's interface %s with an conflicting ip %s, %s is located at %s: "+
				"find that machine, and keep its address out of the network's pool", dev, ip, ip, mac)
		}
	}
}
