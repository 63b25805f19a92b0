package doctor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// networkdDirs are where systemd-networkd reads its configuration, the most important last: a drop-in
// replaces one of the same name in a directory before it (systemd-networkd's networkd.conf(5)).
var networkdDirs = []string{"usr/lib/systemd", "usr/local/lib/systemd", "run/systemd", "etc/systemd"}

// networkdKeepsForeign says whether the effective configuration keeps other programs' routes and rules.
func networkdKeepsForeign(root string) bool {
	effective := map[string]string{}
	for _, path := range networkdFiles(root) {
		content, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		readNetworkSection(string(content), effective)
	}
	return isFalse(effective["ManageForeignRoutingPolicyRules"]) && isFalse(effective["ManageForeignRoutes"])
}

// networkdFiles lists the main file and then the drop-ins, by name, each once.
func networkdFiles(root string) []string {
	main, dropIns := "", map[string]string{}
	for _, dir := range networkdDirs {
		if path := filepath.Join(root, dir, "networkd.conf"); exists(path) {
			main = path
		}
		paths, err := filepath.Glob(filepath.Join(root, dir, "networkd.conf.d", "*.conf"))
		if err != nil {
			continue
		}
		for _, path := range paths {
			dropIns[filepath.Base(path)] = path
		}
	}
	names := make([]string, 0, len(dropIns))
	for name := range dropIns {
		names = append(names, name)
	}
	slices.Sort(names)
	files := []string{main}
	for _, name := range names {
		files = append(files, dropIns[name])
	}
	return files
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// readNetworkSection takes over the assignments of the section [Network]; the last one counts.
func readNetworkSection(content string, effective map[string]string) {
	section := ""
	for line := range strings.SplitSeq(content, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = line
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if ok && section == "[Network]" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, ";") {
			effective[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
}

// isFalse reads a boolean as systemd does.
func isFalse(value string) bool {
	return slices.Contains([]string{"no", "false", "0", "off", "n", "f"}, strings.ToLower(value))
}
