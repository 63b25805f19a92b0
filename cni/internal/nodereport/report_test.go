package nodereport

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
)

func link(kind, name string, others ...string) netlink.Link {
	attrs := netlink.LinkAttrs{Name: name, AltNames: others}
	if kind == "device" {
		return &netlink.Device{LinkAttrs: attrs}
	}
	return &netlink.GenericLink{LinkAttrs: attrs, LinkType: kind}
}

func TestDescribe(t *testing.T) {
	lo := link("device", "lo")
	for _, row := range []struct {
		name  string
		links []netlink.Link
		want  []string
	}{
		{"no interface but lo", []netlink.Link{lo}, []string{}},
		{"hardware goes first, each group in the order of its names",
			[]netlink.Link{link("veth", "uplink"), link("bond", "bond0"), link("device", "eth1"), lo, link("vlan", "bond0.7"), link("device", "eth0")},
			[]string{"eth0", "eth1", "bond0", "bond0.7", "uplink"}},
		{"alternative names are names, too", []netlink.Link{lo, link("device", "eth0", "enp0s3", "ens3")}, []string{"eth0", "enp0s3", "ens3"}},
		{"the node's ends of pods' links are left out",
			[]netlink.Link{lo, link("veth", "veth0a1b2c3d"), link("veth", "cali0123456789a"), link("netkit", "lxc0123456789ab"), link("veth", "eth0")},
			[]string{"eth0"}},
		{"what only has a name like theirs is not", []netlink.Link{lo, link("bridge", "lxcbr0"), link("device", "eni1")}, []string{"eni1", "lxcbr0"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var report Report
			err := report.Describe(row.links)
			if err != nil || !slices.Equal(report.Interfaces, row.want) || report.Truncated {
				t.Errorf("got %v, %v, want %v", report, err, row.want)
			}
		})
	}
}

func TestLinksOfNoNamespaceAreRefused(t *testing.T) {
	for _, links := range [][]netlink.Link{nil, {link("device", "eth0")}} {
		var report Report
		if err := report.Describe(links); err == nil || !strings.Contains(err.Error(), "loopback") {
			t.Errorf("got %v, %v", report, err)
		}
	}
}

func TestText(t *testing.T) {
	many := make([]string, 400)
	for i := range many {
		many[i] = fmt.Sprintf("eth%d", i)
	}
	fullLength := len(`{"interfaces":["eth0","eth1","eth2"],"unlisted":["veth"]}`)
	for _, row := range []struct {
		name      string
		names     []string
		limit     int
		wantNames int
		truncated bool
	}{
		{"no name", []string{}, fullLength, 0, false},
		{"it just fits", many[:3], fullLength, 3, false},
		{"one byte is missing: room for the mark is needed, too", many[:3], fullLength - 1, 0, true},
		{"the first ones are kept", many, fullLength + len(`,"truncated":true`), 3, true},
		{"not half a name", many, fullLength + len(`,"truncated":true`) - 1, 2, true},
		{"a node with very many", many, MessageLimit, 400, false},
		{"no room at all", many, 1, 0, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			text, err := Report{Interfaces: row.names, Unlisted: []string{"veth"}}.Text(row.limit)
			if err != nil {
				t.Fatal(err)
			}
			var read Report
			if err := json.Unmarshal(text, &read); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(read.Interfaces, row.names[:row.wantNames]) || read.Truncated != row.truncated {
				t.Errorf("got %s", text)
			}
			if row.wantNames > 0 && len(text) > row.limit {
				t.Errorf("%d bytes, %d are allowed: %s", len(text), row.limit, text)
			}
		})
	}
}

// TestPluginsAreReportedWholeOrNotAtAll: a part of them would look like the whole.
func TestPluginsAreReportedWholeOrNotAtAll(t *testing.T) {
	report := Report{Interfaces: []string{"eth0", "eth1"}, Unlisted: []string{"veth"}, Plugins: []string{"ipvlan", "macvlan"}}
	full, err := report.Text(MessageLimit)
	if err != nil {
		t.Fatal(err)
	}
	for limit := range len(full) + 1 {
		text, err := report.Text(limit)
		if err != nil {
			t.Fatal(err)
		}
		var read Report
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatal(err)
		}
		if len(read.Plugins) != 0 && (len(read.Plugins) != 2 || len(text) > limit) {
			t.Errorf("%d bytes, %d are allowed: %s", len(text), limit, text)
		}
	}
	if !strings.Contains(string(full), `"plugins":["ipvlan","macvlan"]`) {
		t.Errorf("got %s", full)
	}
}

// TestWhichFilesArePlugins: in the installer's container a link may lead out of what is mounted.
func TestWhichFilesArePlugins(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"macvlan": 0o755, "README": 0o644, ".macvlan.foreign": 0o755} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"loopback": "/no/such/folder/loopback", "ipvlan": "macvlan", "doc": "README", "up": ".."} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if got := Plugins(dir); !slices.Equal(got, []string{"ipvlan", "loopback", "macvlan"}) {
		t.Errorf("got %v", got)
	}
	if got := Plugins(filepath.Join(dir, "gone")); got != nil {
		t.Errorf("got %v", got)
	}
}

// FuzzText: whatever names there are, the text fits or says that names are missing.
func FuzzText(f *testing.F) {
	f.Add("eth0,eth1,\xff\"<", 60)
	f.Fuzz(func(t *testing.T, names string, limit int) {
		report := Report{Interfaces: strings.Split(names, ","), Unlisted: podLinkPrefixes}
		text, err := report.Text(limit)
		if err != nil {
			t.Fatal(err)
		}
		var read Report
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatal(err)
		}
		if len(read.Interfaces) > 0 && len(text) > limit {
			t.Errorf("%d bytes, %d are allowed", len(text), limit)
		}
		if read.Truncated != (len(read.Interfaces) < len(report.Interfaces)) {
			t.Errorf("truncated is %v, %d of %d names", read.Truncated, len(read.Interfaces), len(report.Interfaces))
		}
	})
}
