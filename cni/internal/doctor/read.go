package doctor

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/config"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/install"
)

// Read gathers the facts. hostRoot is the folder in which the node's files are; empty where they
// are not mounted. The netlink requests need no capability.
func Read(installer *install.Installer, hostRoot string) (Node, error) {
	host, err := facts.OpenCurrent()
	if err != nil {
		return Node{}, err
	}
	node := Node{Kernel: facts.KernelRelease(), HostFiles: hostRoot != ""}
	if node.State, err = facts.Snapshot(host); err != nil {
		return Node{}, err
	}
	node.Ways = readWays(host, node.State)
	node.Firewall, node.FirewallErr = facts.ReadFirewall(host, forwardsOrMasquerades)
	for _, each := range installer.Plugins() {
		plugin := Plugin{Name: each.Name(), Target: each.Target()}
		plugin.State, plugin.Err = each.Inspect()
		if each.HasBackup() {
			plugin.Backup = each.Backup()
		}
		node.Plugins = append(node.Plugins, plugin)
	}
	node.Defaults = readDefaults(installer)
	node.LinkManagers = readLinkManagers(hostRoot)
	if hostRoot != "" {
		node.readContainers(hostRoot)
		node.Pods, node.PodsErr = readPods(host, &node, hostRoot)
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
		Table    int            `json:"hostRuleTable"`
		NotReady string         `json:"notReadyReason"`
		Pods     []netip.Prefix `json:"overlayPodCIDR"`
		Services []netip.Prefix `json:"serviceCIDR"`
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
	file.NotReady, file.PodCIDRs, file.CIDRs = section.NotReady, section.Pods, slices.Concat(section.Pods, section.Services)
	if source, err := os.ReadFile(installer.DefaultsSource); err == nil {
		file.Stale = !bytes.Equal(source, content)
	}
	return file
}

// readLinkManagers finds the programs by their Unix sockets, which every process in the node's netns
// can list.
func readLinkManagers(hostRoot string) []LinkManager {
	sockets, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		sockets = nil // their runtime directories are checked instead
	}
	var managers []LinkManager
	for _, program := range []struct {
		name, runtimeDir, file string
		folders                []string
		unmanaged              *regexp.Regexp
	}{
		{"NetworkManager", "run/NetworkManager", "/etc/NetworkManager/conf.d/90-spidercoordinator.conf",
			[]string{"etc/NetworkManager/conf.d/*", "etc/NetworkManager/NetworkManager.conf"},
			regexp.MustCompile(`(?m)^\s*unmanaged-devices\s*[+]?=.*veth`)},
		{"systemd-networkd", "run/systemd/netif", "/etc/systemd/network/10-spidercoordinator.network",
			[]string{"etc/systemd/network/*.network"},
			regexp.MustCompile(`(?ms)^\s*Name\s*=\s*\S*veth.*^\s*Unmanaged\s*=\s*(yes|true|1)`)},
	} {
		running := bytes.Contains(sockets, []byte("/"+program.runtimeDir+"/"))
		if hostRoot != "" && !running {
			_, err := os.Stat(filepath.Join(hostRoot, program.runtimeDir))
			running = err == nil
		}
		if running {
			managers = append(managers, LinkManager{
				Name: program.name, File: program.file,
				Unmanaged:      hostRoot != "" && anyMatches(hostRoot, program.folders, program.unmanaged),
				RemovesForeign: program.name == "systemd-networkd" && hostRoot != "" && !networkdKeepsForeign(hostRoot),
			})
		}
	}
	return managers
}

func anyMatches(root string, globs []string, pattern *regexp.Regexp) bool {
	for _, glob := range globs {
		names, err := filepath.Glob(filepath.Join(root, glob))
		if err != nil {
			continue
		}
		for _, name := range names {
			if content, err := os.ReadFile(name); err == nil && pattern.Match(content) {
				return true
			}
		}
	}
	return false
}
