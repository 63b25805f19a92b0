package doctor

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/config"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/install"
)

// Read gathers the facts. hostRoot is the folder in which the node's files are; empty where they
// are not mounted. Netlink is asked what anybody may ask.
func Read(installer *install.Installer, hostRoot string) (Node, error) {
	host, err := facts.OpenCurrent()
	if err != nil {
		return Node{}, err
	}
	node := Node{Target: installer.Target(), HostFiles: hostRoot != ""}
	if node.Space, err = facts.Survey(host); err != nil {
		return Node{}, err
	}
	node.Plugin, node.PluginErr = installer.Inspect()
	if installer.HasBackup() {
		node.Backup = installer.Backup()
	}
	node.Defaults = readDefaults(installer)
	node.Managers = readManagers(hostRoot)
	if hostRoot != "" {
		node.Known = readContainers(hostRoot)
	}
	return node, nil
}

func readDefaults(installer *install.Installer) Defaults {
	file := Defaults{Path: installer.DefaultsTarget, Table: config.DefaultHostRuleTable}
	content, err := os.ReadFile(installer.DefaultsTarget)
	if errors.Is(err, fs.ErrNotExist) {
		file.Missing = true
		return file
	}
	var section struct {
		Table    int    `json:"hostRuleTable"`
		NotReady string `json:"notReadyReason"`
	}
	if err == nil {
		err = json.Unmarshal(content, &section)
	}
	if err != nil {
		file.Err = err
		return file
	}
	if section.Table > 0 {
		file.Table = section.Table
	}
	file.NotReady = section.NotReady
	if source, err := os.ReadFile(installer.DefaultsSource); err == nil {
		file.Stale = !bytes.Equal(source, content)
	}
	return file
}

// readManagers looks for the programs by their sockets: these are listed for everybody who is in
// the node's network.
func readManagers(hostRoot string) []Manager {
	sockets, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		sockets = nil // it is asked for traces on the disk, then
	}
	var found []Manager
	for _, each := range []struct {
		name, run, file string
		folders         []string
		keeps           *regexp.Regexp
	}{
		{"NetworkManager", "run/NetworkManager", "/etc/NetworkManager/conf.d/90-spidercoordinator.conf",
			[]string{"etc/NetworkManager/conf.d/*", "etc/NetworkManager/NetworkManager.conf"},
			regexp.MustCompile(`(?m)^\s*unmanaged-devices\s*[+]?=.*veth`)},
		{"systemd-networkd", "run/systemd/netif", "/etc/systemd/network/10-spidercoordinator.network",
			[]string{"etc/systemd/network/*.network"},
			regexp.MustCompile(`(?ms)^\s*Name\s*=\s*\S*veth.*^\s*Unmanaged\s*=\s*(yes|true|1)`)},
	} {
		runs := bytes.Contains(sockets, []byte("/"+each.run+"/"))
		if hostRoot != "" && !runs {
			_, err := os.Stat(filepath.Join(hostRoot, each.run))
			runs = err == nil
		}
		if runs {
			found = append(found, Manager{each.name, hostRoot != "" && anyMatches(hostRoot, each.folders, each.keeps), each.file})
		}
	}
	return found
}

func anyMatches(root string, patterns []string, wanted *regexp.Regexp) bool {
	for _, pattern := range patterns {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			continue
		}
		for _, name := range names {
			if content, err := os.ReadFile(name); err == nil && wanted.Match(content) {
				return true
			}
		}
	}
	return false
}

// readContainers returns the containers for which libcni keeps results (NETWORK-CONTAINER-INTERFACE),
// on behalf of the runtime or of Multus; nil when there are no such folders.
func readContainers(hostRoot string) map[string]bool {
	var known map[string]bool
	for _, folder := range []string{"results", "cache/results", "multus/results", "multus/libcni/results"} {
		entries, err := os.ReadDir(filepath.Join(hostRoot, "var/lib/cni", folder))
		if err != nil {
			continue
		}
		if known == nil {
			known = map[string]bool{}
		}
		for _, entry := range entries {
			for part := range strings.SplitSeq(entry.Name(), "-") {
				known[part] = true
			}
		}
	}
	return known
}
