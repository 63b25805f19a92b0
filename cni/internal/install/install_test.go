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
		Source: filepath.Join(dir, "plugin"), TargetDir: filepath.Join(dir, "bin"),
		DefaultsSource: filepath.Join(dir, "source.json"), DefaultsTarget: filepath.Join(dir, "state", "defaults.json"),
	}
	for _, sub := range []string{"bin", "state"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := copyFile(self, installer.Source, 0o755); err != nil {
		t.Fatal(err)
	}
	return installer
}

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
	if err := os.Chmod(installer.Target(), 0o644); err != nil {
		t.Fatal(err)
	}
	sync(t, installer, "installed")
	if err := os.Remove(installer.Target()); err != nil {
		t.Fatal(err)
	}
	sync(t, installer, "installed")
	if entries, _ := os.ReadDir(installer.TargetDir); len(entries) != 1 {
		t.Errorf("files left over: %v", entries)
	}
}

func TestAnOlderVersionOfOursIsReplaced(t *testing.T) {
	installer := newInstaller(t)
	writeFile(t, installer.Target(), readFile(t, installer.Source)+"older")
	sync(t, installer, "installed")
}

func TestAnotherProductsPluginIsLeftAlone(t *testing.T) {
	installer := newInstaller(t)
	writeFile(t, installer.Target(), "of another product")
	if _, err := installer.Sync(); err == nil || !strings.Contains(err.Error(), "--replace-foreign") {
		t.Errorf("want a refusal that names the flag, got %v", err)
	}
	if readFile(t, installer.Target()) != "of another product" {
		t.Error("it was overwritten")
	}
}

func TestAnotherProductsPluginIsBackedUpAndRestored(t *testing.T) {
	installer := newInstaller(t)
	installer.ReplaceForeign = true
	writeFile(t, installer.Target(), "of another product")
	sync(t, installer, "backed up", "installed")
	sync(t, installer)
	if _, err := installer.Restore(); err != nil {
		t.Fatal(err)
	}
	if readFile(t, installer.Target()) != "of another product" {
		t.Error("it was not restored")
	}
	if changed, err := installer.Restore(); err != nil || changed != nil {
		t.Errorf("a second time there is nothing to restore: %v %v", changed, err)
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
	leftover := filepath.Join(installer.TargetDir, ".coordinator.123456")
	writeFile(t, leftover, "half")
	writeFile(t, installer.Backup(), "of another product")
	installer.Clean()
	if _, err := os.Stat(leftover); err == nil {
		t.Error("the leftover is still there")
	}
	if readFile(t, installer.Backup()) != "of another product" {
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
