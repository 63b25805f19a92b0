package nodereport

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const answers = `#!/bin/sh
[ "$CNI_COMMAND" = VERSION ] || exit 1
echo asked >> %s
echo '{"cniVersion":"1.0.0","supportedVersions":[%s]}'
`

func script(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, path string) int {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Count(string(content), "\n")
}

func TestPluginsAreAskedOnceForEachFile(t *testing.T) {
	dir, asked := t.TempDir(), filepath.Join(t.TempDir(), "asked")
	versions := &Versions{Dir: dir, Deadline: time.Minute, Pending: filepath.Join(t.TempDir(), "pending")}
	script(t, filepath.Join(dir, "one"), fmt.Sprintf(answers, asked, `"0.3.0","1.0.0"`))
	script(t, filepath.Join(dir, "two"), fmt.Sprintf(answers, asked, `"0.3.0","1.0.0"`))
	script(t, filepath.Join(dir, "three"), fmt.Sprintf(answers, asked, `"1.1.0"`))
	names := []string{"one", "three", "two", "gone"}
	for range 3 {
		got := fmt.Sprint(versions.Of(names))
		if got != "map[0.3.0 1.0.0:[one two] 1.1.0:[three]]" {
			t.Fatal(got)
		}
	}
	if count(t, asked) != 3 {
		t.Errorf("asked %d times", count(t, asked))
	}
	script(t, filepath.Join(dir, "one"), fmt.Sprintf(answers, asked, `"0.4.0"`))
	if got := fmt.Sprint(versions.Of(names)); got != "map[0.3.0 1.0.0:[two] 0.4.0:[one] 1.1.0:[three]]" {
		t.Error(got)
	}
	if count(t, asked) != 4 || len(versions.answers) != 3 {
		t.Errorf("asked %d times, %d answers kept", count(t, asked), len(versions.answers))
	}
	if _, err := os.Stat(versions.Pending); !os.IsNotExist(err) {
		t.Errorf("the record of pending files is left: %v", err)
	}
}

func TestWhoDoesNotAnswerIsNotKnown(t *testing.T) {
	for name, text := range map[string]string{
		"fails":                      "#!/bin/sh\nexit 1\n",
		"says something else":        "#!/bin/sh\necho hello\n",
		"says nothing":               "#!/bin/sh\n",
		"has an interpreter no more": "#!/no/such/program\n",
		"is no program":              "\x7fELF",
		"takes too long":             "#!/bin/sh\nsleep 3600\n",
		"says too much":              "#!/bin/sh\nwhile :; do echo '{\"cniVersion\":\"1.0.0\",      '; done\n",
		"leaves a child with pipes":  "#!/bin/sh\nsleep 3600 &\nsleep 3600\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			script(t, filepath.Join(dir, "plugin"), text)
			versions := &Versions{Dir: dir, Deadline: time.Second / 2, Pending: filepath.Join(dir, ".pending")}
			for range attempts + 1 {
				if got := versions.Of([]string{"plugin"}); len(got) != 0 {
					t.Errorf("got %v", got)
				}
			}
			for _, known := range versions.answers {
				if known.asked != attempts {
					t.Errorf("asked %d times", known.asked)
				}
			}
			if len(versions.answers) != 1 {
				t.Errorf("got %v", versions.answers)
			}
		})
	}
}

// TestAPluginThatTookTheInstallerWithItIsNotAskedAgain: more memory than the container has ends all of its processes.
func TestAPluginThatTookTheInstallerWithItIsNotAskedAgain(t *testing.T) {
	dir, asked, pending := t.TempDir(), filepath.Join(t.TempDir(), "asked"), filepath.Join(t.TempDir(), "pending")
	for _, name := range []string{"greedy", "greedy2", "modest"} {
		script(t, filepath.Join(dir, name), fmt.Sprintf(answers, asked, `"1.0.0"`))
	}
	for _, name := range []string{"greedy", "greedy2"} {
		file, err := identity(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		started := &Versions{Dir: dir, Pending: pending}
		started.skipped = started.readPending()
		if err := started.writePending(append(started.pendingLines(), file)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		again := &Versions{Dir: dir, Deadline: time.Minute, Pending: pending}
		if got := fmt.Sprint(again.Of([]string{"greedy", "greedy2", "modest"})); got != "map[1.0.0:[modest]]" {
			t.Error(got)
		}
	}
	if count(t, pending) != 2 {
		t.Errorf("%d files are on record", count(t, pending))
	}
	script(t, filepath.Join(dir, "greedy"), fmt.Sprintf(answers, asked, `"1.1.0"`))
	again := &Versions{Dir: dir, Deadline: time.Minute, Pending: pending}
	if got := fmt.Sprint(again.Of([]string{"greedy", "greedy2"})); got != "map[1.1.0:[greedy]]" {
		t.Errorf("another file of that name is another plugin: %s", got)
	}
}

func TestAReportIsWrittenWhenItChanged(t *testing.T) {
	var log strings.Builder
	report, failure := Report{Interfaces: []string{"eth0"}}, error(nil)
	reporter := &Reporter{Log: &log, Look: func() (Report, error) { return report, failure }}
	now := time.Unix(0, 0)
	for _, row := range []struct {
		what  string
		later time.Duration
		do    func()
		lines int
	}{
		{"the first", 0, func() {}, 1},
		{"the same", time.Minute, func() {}, 1},
		{"another interface", time.Minute, func() { report.Interfaces = []string{"eth0", "eth1"} }, 2},
		{"another MTU", time.Minute, func() { report.Links = map[string]Link{"eth0": {"device", 9000}} }, 3},
		{"another plugin", time.Minute, func() { report.Plugins = []string{"macvlan"} }, 4},
		{"another version", time.Minute, func() { report.Speaks = map[string][]string{"1.0.0": {"macvlan"}} }, 5},
		{"an error", time.Minute, func() { failure = os.ErrPermission }, 6},
		{"the same error", time.Minute, func() {}, 6},
		{"no error", time.Minute, func() { failure = nil }, 6},
		{"long the same", RepeatEvery, func() {}, 7},
	} {
		row.do()
		now = now.Add(row.later)
		reporter.Tick(now)
		if lines := strings.Count(log.String(), "\n"); lines != row.lines {
			t.Errorf("%s: %d lines, want %d", row.what, lines, row.lines)
		}
	}
	if lines := strings.Count(log.String(), Prefix+`{"interfaces":["eth0"`); lines != 6 {
		t.Error(log.String())
	}
}

func TestWhatGoesFirstWhereThereIsNoRoom(t *testing.T) {
	report := Report{
		Interfaces: []string{"eth0", "eth1"}, Plugins: []string{"macvlan"},
		Links: map[string]Link{"eth0": {"device", 1500}}, Speaks: map[string][]string{"1.0.0": {"macvlan"}},
	}
	text := func(limit int) string {
		text, err := report.Text(limit)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	full := text(LineLimit)
	noLinks := text(len(full) - 1)
	noVersions := text(len(noLinks) - 1)
	cut := text(len(noVersions) - 1)
	for _, row := range []struct{ has, lacks string }{
		{full, "truncated"}, {noLinks, "links"}, {noVersions, "speaks"}, {cut, "eth1"},
	} {
		if strings.Contains(row.has, row.lacks) {
			t.Errorf("%s in %s", row.lacks, row.has)
		}
	}
	if !strings.Contains(noLinks, `"speaks"`) || !strings.Contains(noVersions, `"eth1"`) || !strings.Contains(cut, `"truncated":true`) {
		t.Errorf("%s\n%s\n%s", noLinks, noVersions, cut)
	}
}
