package apply

import (
	"fmt"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
)

// Duplicate address detection takes a second after a random delay of up to another (RFC 4862).
const (
	dadDeadline = 5 * time.Second
	dadInterval = 10 * time.Millisecond
)

// awaitAddr waits until an address is not tentative any more. One that another machine has stays so.
func (k *Kernel) awaitAddr(a plan.AwaitAddr) error {
	index, err := k.index(a.Side, a.Dev)
	if err != nil {
		return err
	}
	link := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: index, Name: a.Dev}}
	for end := time.Now().Add(dadDeadline); time.Now().Before(end); time.Sleep(dadInterval) {
		addrs, err := k.netns(a.Side).Addresses(link, facts.KernelFamily(facts.FamilyOf(a.IP)))
		if err != nil {
			return err
		}
		for _, addr := range addrs {
			if !addr.IP.Equal(a.IP.AsSlice()) {
				continue
			}
			if addr.Flags&unix.IFA_F_DADFAILED != 0 {
				return fmt.Errorf("duplicate address detection found another machine with %s: give one of the two another address", a.IP)
			}
			if addr.Flags&unix.IFA_F_TENTATIVE == 0 {
				return nil
			}
		}
	}
	return fmt.Errorf("duplicate address detection of %s has not ended after %s: check the link %s", a.IP, dadDeadline, a.Dev)
}
