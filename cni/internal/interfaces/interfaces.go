// Package interfaces encodes the names of a node's network interfaces and CNI plugins as a container's
// termination message: so they get into the pod's status, where the operator reads them (docs/decisions/0009).
package interfaces

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/vishvananda/netlink"
)

// Limit is how many bytes of a termination message kubelet keeps.
const Limit = 4096

// podLinkPrefixes are the name prefixes of the host veths of CNI plugins. They cannot be masters, they
// are created and deleted with pods, and a full node has hundreds of them.
var podLinkPrefixes = []string{"azv", "cali", "eni", "gke", "lxc", "veth"}

// Report is a node's termination message; the operator decodes it in discovery/interfaces.py.
type Report struct {
	Interfaces []string `json:"interfaces"`          // names and alternative names
	Unlisted   []string `json:"unlisted"`            // prefixes of host veths, which are left out
	Plugins    []string `json:"plugins,omitempty"`   // names of the CNI plugins; none: not known
	Truncated  bool     `json:"truncated,omitempty"` // more names were left out: the message has a size limit
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

// Plugins lists the programs in a node's directory of CNI plugins, none when it cannot be read.
func Plugins(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var names []string
	for _, entry := range entries {
		info, err := os.Stat(filepath.Join(dir, entry.Name()))
		if err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 && !strings.HasPrefix(entry.Name(), ".") {
			names = append(names, entry.Name())
		}
	}
	return names
}

// Text is the report as JSON; what does not fit in so many bytes is cut off at the end of the list.
func (r Report) Text(limit int) ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil || len(text) <= limit {
		return text, err
	}
	r.Truncated = true
	all := r.Interfaces
	r.Interfaces = []string{}
	// More plugins than fit are as good as none known: a part would look like the whole.
	if text, err := json.Marshal(r); err == nil && len(text) > limit {
		r.Plugins = nil
	}
	tooMany := sort.Search(len(all), func(count int) bool {
		r.Interfaces = all[:count]
		text, err = json.Marshal(r)
		return err != nil || len(text) > limit
	})
	r.Interfaces = all[:max(tooMany-1, 0)]
	return json.Marshal(r)
}

// rank orders physical links before virtual ones, and these before veths and netkits.
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
