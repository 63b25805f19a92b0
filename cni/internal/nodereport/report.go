// Package nodereport says what a node has: its network interfaces, its CNI plugins and the CNI versions that they
// speak. The operator reads it from the installer's pod: at its start from the termination message of the init
// container, later from the log of the resident one (docs/decisions/0009 and 0014).
package nodereport

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/vishvananda/netlink"
)

// MessageLimit is how many bytes of a termination message kubelet keeps.
const MessageLimit = 4096

// LineLimit is how many bytes a report in the log may have: container runtimes write longer lines in pieces of 16 KiB.
const LineLimit = 12 << 10

// podLinkPrefixes are the name prefixes of the host veths of CNI plugins. They cannot be masters, they
// are created and deleted with pods, and a full node has hundreds of them.
var podLinkPrefixes = []string{"azv", "cali", "eni", "gke", "lxc", "veth"}

// Report is what a node has; the operator decodes it in discovery/nodereports.py.
type Report struct {
	Interfaces []string            `json:"interfaces"`          // names and alternative names
	Unlisted   []string            `json:"unlisted"`            // prefixes of host veths, which are left out
	Plugins    []string            `json:"plugins,omitempty"`   // names of the CNI plugins; none: not known
	Truncated  bool                `json:"truncated,omitempty"` // more interfaces were left out: there is a size limit
	Links      map[string]Link     `json:"links,omitempty"`     // kind and MTU, by the interface's name; none: not known
	Speaks     map[string][]string `json:"speaks,omitempty"`    // CNI versions → plugins that speak these; others: not known
}

// Link is what is told of an interface beside its names.
type Link struct {
	Kind string `json:"kind"` // as in `ip -d link`; device for hardware
	MTU  int    `json:"mtu"`
}

// Describe adds all links of a node to the report, hardware first.
//
// It fails when there is no loopback interface: then these are not the links of any namespace.
func (r *Report) Describe(links []netlink.Link) error {
	links = slices.Clone(links)
	slices.SortFunc(links, func(a, b netlink.Link) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Attrs().Name, b.Attrs().Name))
	})
	r.Interfaces, r.Unlisted, r.Links = []string{}, podLinkPrefixes, map[string]Link{}
	loopback := false
	for _, link := range links {
		name := link.Attrs().Name
		if name == "lo" {
			loopback = true
		} else if !isPodLink(link) {
			r.Interfaces = append(append(r.Interfaces, name), link.Attrs().AltNames...)
			r.Links[name] = Link{Kind: link.Type(), MTU: link.Attrs().MTU}
		}
	}
	if !loopback {
		*r = Report{}
		return errors.New("there is no loopback interface among the node's links")
	}
	return nil
}

// Plugins lists the programs in a node's directory of CNI plugins, none when it cannot be read.
func Plugins(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var names []string
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".") && isPlugin(filepath.Join(dir, entry.Name())) {
			names = append(names, entry.Name())
		}
	}
	return names
}

// isPlugin says whether a runtime could run the file, for all that can be seen: the directory is mounted alone, so
// where a symbolic link leads is not, and it counts as what it is said to be.
func isPlugin(path string) bool {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		link, err := os.Lstat(path)
		return err == nil && link.Mode()&fs.ModeSymlink != 0
	}
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// Text is the report as JSON. What does not fit in so many bytes goes: first kinds and MTUs, then the CNI versions, then
// the end of the list of interfaces.
func (r Report) Text(limit int) ([]byte, error) {
	for _, drop := range []func(){func() {}, func() { r.Links = nil }, func() { r.Speaks = nil }} {
		drop()
		if text, err := json.Marshal(r); err != nil || len(text) <= limit {
			return text, err
		}
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
		text, err := json.Marshal(r)
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
