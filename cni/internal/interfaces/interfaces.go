// Package interfaces tells by which names a node knows its network interfaces, in a text that is
// short enough for a container's termination message: so they come into the pod's status, where the
// operator reads them (docs/decisions/0009).
package interfaces

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"sort"
	"strings"

	"github.com/vishvananda/netlink"
)

// Limit is how many bytes of a termination message kubelet keeps.
const Limit = 4096

// podLinkPrefixes is how the names begin that CNI plugins give to the node's end of a pod's link. No pod
// can be put on these, they come and go all the time, and a full node has hundreds of them.
var podLinkPrefixes = []string{"azv", "cali", "eni", "gke", "lxc", "veth"}

// Report is what a node tells; the operator reads it in discovery/interfaces.py.
type Report struct {
	Interfaces []string `json:"interfaces"`          // names and alternative names
	Unlisted   []string `json:"unlisted"`            // links of pods whose names begin so are not told
	Truncated  bool     `json:"truncated,omitempty"` // more were left out, for want of room
}

// Describe makes a report out of all links of a node, hardware first.
//
// It fails when there is no loopback interface: then these are not the links of any namespace.
func Describe(links []netlink.Link) (Report, error) {
	links = slices.Clone(links)
	slices.SortFunc(links, func(a, b netlink.Link) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Attrs().Name, b.Attrs().Name))
	})
	report := Report{Interfaces: []string{}, Unlisted: podLinkPrefixes}
	loopback := false
	for _, link := range links {
		name := link.Attrs().Name
		if name == "lo" {
			loopback = true
		} else if !isPodLink(link) {
			report.Interfaces = append(append(report.Interfaces, name), link.Attrs().AltNames...)
		}
	}
	if !loopback {
		return Report{}, errors.New("there is no loopback interface among the node's links")
	}
	return report, nil
}

// Text is the report as JSON; what does not fit in so many bytes is cut off at the end of the list.
func (r Report) Text(limit int) ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil || len(text) <= limit {
		return text, err
	}
	r.Truncated = true
	all := r.Interfaces
	tooMany := sort.Search(len(all), func(count int) bool {
		r.Interfaces = all[:count]
		text, err = json.Marshal(r)
		return err != nil || len(text) > limit
	})
	r.Interfaces = all[:max(tooMany-1, 0)]
	return json.Marshal(r)
}

// rank puts hardware before what is made of it, and that before what mostly leads into pods.
func rank(link netlink.Link) int {
	switch link.Type() {
	case "device":
		return 0
	case "veth", "netkit":
		return 2
	}
	return 1
}

func isPodLink(link netlink.Link) bool {
	return rank(link) == 2 && slices.ContainsFunc(podLinkPrefixes, func(prefix string) bool {
		return strings.HasPrefix(link.Attrs().Name, prefix)
	})
}
