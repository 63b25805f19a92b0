package doctor

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheEffectiveConfigurationOfNetworkdCounts(t *testing.T) {
	const keep = "[Network]\nManageForeignRoutingPolicyRules=no\nManageForeignRoutes = off\n"
	const manage = "[Network]\nManageForeignRoutes=yes\n"
	for _, test := range []struct {
		name  string
		files map[string]string
		want  bool
	}{
		{"nothing", nil, false},
		{"a drop-in", map[string]string{"etc/systemd/networkd.conf.d/90-spidercoordinator.conf": keep}, true},
		{"the main file", map[string]string{"etc/systemd/networkd.conf": keep}, true},
		{"a drop-in of another name", map[string]string{"run/systemd/networkd.conf.d/a.conf": keep}, true},
		{"rules only", map[string]string{"etc/systemd/networkd.conf": "[Network]\nManageForeignRoutingPolicyRules=no\n"}, false},
		{"a comment", map[string]string{"etc/systemd/networkd.conf": "[Network]\n#ManageForeignRoutingPolicyRules=no\n#ManageForeignRoutes=no\n"}, false},
		{"another section", map[string]string{"etc/systemd/networkd.conf": "[DHCP]\nManageForeignRoutingPolicyRules=no\nManageForeignRoutes=no\n"}, false},
		{"a later drop-in that takes it back", map[string]string{
			"etc/systemd/networkd.conf.d/50-a.conf": keep, "etc/systemd/networkd.conf.d/60-b.conf": manage,
		}, false},
		{"a drop-in goes before the main file", map[string]string{
			"etc/systemd/networkd.conf": manage, "usr/lib/systemd/networkd.conf.d/10.conf": keep,
		}, true},
		{"one of the same name in /etc replaces it", map[string]string{
			"usr/lib/systemd/networkd.conf.d/10.conf": keep, "etc/systemd/networkd.conf.d/10.conf": "",
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			for path, content := range test.files {
				full := filepath.Join(root, path)
				if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(full, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := networkdKeepsForeign(root); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
