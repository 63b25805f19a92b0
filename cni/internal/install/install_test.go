package install

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newInstaller makes an image with this test's own binary as the plugin: it carries our module's path.
func newInstaller(t *testing.T) *Installer {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	installer := &Installer{
		Sources: []string{filepath.Join(dir, "plugin")}, TargetDir: filepath.Join(dir, "bin"),
		DefaultsSource: filepath.Join(dir, "source.json"), DefaultsTarget: filepath.Join(dir, "state", "defaults.json"),
	}
	for _, sub := range []string{"bin", "state"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := copyFile(self, installer.Sources[0], 0o755); err != nil {
		t.Fatal(err)
	}
	return installer
}

// another is another product's plugin.
const another = "#!/bin/sh\n"

func target(installer *Installer) string { return installer.Plugins()[0].Target() }

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func sync(t *testing.T, installer *Installer, want ...string) {
	t.Helper()
	changed, err := installer.Sync()
	if err != nil {
		t.Fatal(err)
	}
	if len(changed) != len(want) {
		t.Fatalf("changed %q, want %q", changed, want)
	}
	for i, word := range want {
		if !strings.Contains(changed[i], word) {
			t.Errorf("changed %q, want %q", changed, want)
		}
	}
}

func TestInstallsOnceAndAgainWhenChanged(t *testing.T) {
	installer := newInstaller(t)
	sync(t, installer, "installed")
	sync(t, installer)
	if err := os.Chmod(target(installer), 0o644); err != nil {
		t.Fatal(err)
	}
	sync(t, installer, "installed")
	if err := os.Remove(target(installer)); err != nil {
		t.Fatal(err)
	}
	sync(t, installer, "installed")
	if entries, _ := os.ReadDir(installer.TargetDir); len(entries) != 1 {
		t.Errorf("files left over: %v", entries)
	}
}

func TestAnOlderVersionOfOursIsReplaced(t *testing.T) {
	installer := newInstaller(t)
	writeFile(t, target(installer), readFile(t, installer.Sources[0])+"older")
	sync(t, installer, "installed")
}

func TestAnotherProductsPluginIsLeftAlone(t *testing.T) {
	installer := newInstaller(t)
	writeFile(t, target(installer), another)
	if _, err := installer.Sync(); err == nil || !strings.Contains(err.Error(), "--replace-foreign") {
		t.Errorf("want a refusal that names the flag, got %v", err)
	}
	if readFile(t, target(installer)) != another {
		t.Error("it was overwritten")
	}
}

func TestAnotherProductsPluginIsBackedUpAndRestored(t *testing.T) {
	installer := newInstaller(t)
	installer.ReplaceForeign = true
	writeFile(t, target(installer), another)
	sync(t, installer, "backed up", "installed")
	sync(t, installer)
	if _, err := installer.Restore(); err != nil {
		t.Fatal(err)
	}
	if readFile(t, target(installer)) != another {
		t.Error("it was not restored")
	}
	if changed, err := installer.Restore(); err != nil || changed != nil {
		t.Errorf("a second time there is nothing to restore: %v %v", changed, err)
	}
}

func TestOnlyAWordInTheMarkMeansAnUninstall(t *testing.T) {
	installer := newInstaller(t)
	if installer.Uninstalling() {
		t.Error("without a mark it is none")
	}
	installer.UninstallMark = filepath.Join(t.TempDir(), "uninstall")
	for _, test := range []struct {
		content string
		want    bool
	}{{"missing", false}, {"", false}, {" \n", false}, {"true", true}} {
		if test.content != "missing" {
			writeFile(t, installer.UninstallMark, test.content)
		}
		if got := installer.Uninstalling(); got != test.want {
			t.Errorf("%q: got %t", test.content, got)
		}
	}
}

func TestDefaultsAreWrittenBeforeThePlugin(t *testing.T) {
	installer := newInstaller(t)
	writeFile(t, installer.DefaultsSource, `{"mode":"auto"}`)
	sync(t, installer, "wrote", "installed")
}

func TestDefaultsFollowTheirSource(t *testing.T) {
	installer := newInstaller(t)
	sync(t, installer, "installed")
	writeFile(t, installer.DefaultsSource, `{"mode":"auto"}`)
	sync(t, installer, "wrote")
	sync(t, installer)
	writeFile(t, installer.DefaultsSource, `{"mode":`)
	if _, err := installer.Sync(); err == nil || !strings.Contains(err.Error(), "not valid JSON") {
		t.Errorf("want a refusal of broken JSON, got %v", err)
	}
	if err := os.Remove(installer.DefaultsSource); err != nil {
		t.Fatal(err)
	}
	sync(t, installer)
	if readFile(t, installer.DefaultsTarget) != `{"mode":"auto"}` {
		t.Error("the last good defaults are gone")
	}
}

func TestLeftoversOfAKilledRunAreRemoved(t *testing.T) {
	installer := newInstaller(t)
	leftover := filepath.Join(installer.TargetDir, ".plugin.123456")
	writeFile(t, leftover, "half")
	writeFile(t, installer.Plugins()[0].Backup(), another)
	installer.Clean()
	if _, err := os.Stat(leftover); err == nil {
		t.Error("the leftover is still there")
	}
	if readFile(t, installer.Plugins()[0].Backup()) != another {
		t.Error("the backup is gone")
	}
}

func TestAMissingDirectoryIsExplained(t *testing.T) {
	installer := newInstaller(t)
	installer.TargetDir = filepath.Join(t.TempDir(), "missing")
	if _, err := installer.Sync(); err == nil || !strings.Contains(err.Error(), "mounted and writable") {
		t.Errorf("want an explanation, got %v", err)
	}
}

func TestWhatIsLeftOfAPluginIsReplaced(t *testing.T) {
	installer := newInstaller(t)
	whole := readFile(t, installer.Sources[0])
	flipped := []byte(whole)
	for i := range 4096 {
		flipped[i] ^= 0xff // with the ELF header the build information is out of reach
	}
	for name, content := range map[string]string{
		"empty": "", "its beginning": whole[:1000], "half of it": whole[:len(whole)/2], "without its last byte": whole[:len(whole)-1],
		"with another beginning": string(flipped), "no program": "of nobody", "one letter": "x",
	} {
		writeFile(t, target(installer), content)
		if state, err := installer.Plugins()[0].Inspect(); err != nil || state != Stale {
			t.Errorf("%s: is %q %v, want stale", name, state, err)
		}
		if err := installer.Ready(); err == nil || !strings.Contains(err.Error(), target(installer)+" is not the plugin of this image") {
			t.Errorf("%s: counts as ready: %v", name, err)
		}
		sync(t, installer, "installed")
		if err := installer.Ready(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAWholeProgramWithoutGoIsAnotherProducts(t *testing.T) {
	installer := newInstaller(t)
	program := readFile(t, "/proc/self/exe")
	// Without our path and the mark of the build information it could be anybody's.
	program = strings.ReplaceAll(program, "spidercoordinator", "somebodyelse_____")
	program = strings.ReplaceAll(program, "\xff Go buildinf:", "\xff no buildinf:")
	writeFile(t, target(installer), program)
	if state, err := installer.Plugins()[0].Inspect(); err != nil || state != Foreign {
		t.Errorf("is %q %v, want foreign", state, err)
	}
	if _, err := installer.Sync(); err == nil || !strings.Contains(err.Error(), "belongs to another product") {
		t.Errorf("got %v", err)
	}
	if installer.Ready() == nil {
		t.Error("counts as ready")
	}
}

func TestOnePluginDoesNotHinderAnother(t *testing.T) {
	installer := newInstaller(t)
	second := filepath.Join(t.TempDir(), "second")
	if err := copyFile(installer.Sources[0], second, 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, target(installer), another)
	installer.Sources = append(installer.Sources, second)
	changed, err := installer.Sync()
	if err == nil || len(changed) != 1 || !strings.HasSuffix(changed[0], "bin/second") {
		t.Errorf("got %q %v", changed, err)
	}
	installer.ReplaceForeign = true
	writeFile(t, installer.Plugins()[1].Target(), another)
	sync(t, installer, "backed up", "installed", "backed up", "installed")
	if _, err := installer.Restore(); err != nil {
		t.Fatal(err)
	}
	for _, plugin := range installer.Plugins() {
		if readFile(t, plugin.Target()) != another || plugin.HasBackup() {
			t.Errorf("%s was not restored", plugin.Name())
		}
	}
}
