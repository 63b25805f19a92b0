package nodemetrics

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/counters"
)

func registered(t *testing.T, collector *Collector) *prometheus.Registry {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(collector)
	return registry
}

func TestNamesFollowPrometheus(t *testing.T) {
	path := filepath.Join(t.TempDir(), "counters")
	if err := counters.Ensure(path); err != nil {
		t.Fatal(err)
	}
	kinds := func() (map[string]int, error) { return map[string]int{"bridge": 1}, nil }
	problems, err := testutil.GatherAndLint(registered(t, &Collector{Counters: path, PluginDir: t.TempDir(), Kinds: kinds}))
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

func TestStepsThatNeverFailedAreTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "counters")
	if err := counters.Ensure(path); err != nil {
		t.Fatal(err)
	}
	counters.Begin(path, counters.Ifacer, counters.GC, time.Now()).End(counters.Request)
	counters.Begin(path, counters.Ifacer, counters.GC, time.Now()).End(counters.Kernel) // at which it cannot fail
	registry := registered(t, &Collector{Counters: path, PluginDir: t.TempDir()})
	want := `
# HELP spidercoordinator_cni_failures_total Calls of the plugins that failed, by the step at which they did.
# TYPE spidercoordinator_cni_failures_total counter
`
	for _, plugin := range counters.Plugins {
		for _, verb := range counters.Verbs {
			found := map[string]string{}
			for _, step := range counters.Possible(plugin, verb) {
				found[step.String()] = "0"
			}
			if plugin == counters.Ifacer && verb == counters.GC {
				found["request"], found["kernel"] = "1", "1"
			}
			for step, count := range found {
				want += `spidercoordinator_cni_failures_total{plugin="` + plugin.String() + `",step="` + step + `",verb="` + verb.String() + `"} ` + count + "\n"
			}
		}
	}
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "spidercoordinator_cni_failures_total"); err != nil {
		t.Error(err)
	}
}

func TestWhatCannotBeReadIsSaid(t *testing.T) {
	kinds := func() (map[string]int, error) { return nil, errors.New("no netlink") }
	registry := registered(t, &Collector{Counters: "/nonexistent", PluginDir: "/nonexistent", Kinds: kinds})
	want := `
# HELP spidercoordinator_node_counters_readable Whether the counters of the node can be read (1) or not (0).
# TYPE spidercoordinator_node_counters_readable gauge
spidercoordinator_node_counters_readable 0
`
	names := []string{
		"spidercoordinator_node_counters_readable", "spidercoordinator_cni_calls_total", "spidercoordinator_node_interfaces",
		"spidercoordinator_node_multus_installed",
	}
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
}

func TestAFolderFullOfProgramsMakesNoMoreSeries(t *testing.T) {
	dir := t.TempDir()
	for number := range 3 * mostPlugins {
		name := filepath.Join(dir, "p"+strings.Repeat("x", number%200)+string(rune('a'+number/200)))
		if err := os.WriteFile(name, nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "multus-shim\xff"), nil, 0o700); err != nil {
		t.Fatal(err)
	}
	registry := registered(t, &Collector{Counters: "/nonexistent", PluginDir: dir})
	count, err := testutil.GatherAndCount(registry, "spidercoordinator_node_plugin_info")
	if err != nil || count != mostPlugins-1 { // one of the first has a name that is no text
		t.Errorf("%d series, %v", count, err)
	}
	want := `
# HELP spidercoordinator_node_multus_installed Whether a program of Multus is among the node's CNI plugins (1) or not (0).
# TYPE spidercoordinator_node_multus_installed gauge
spidercoordinator_node_multus_installed 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "spidercoordinator_node_multus_installed"); err != nil {
		t.Error(err)
	}
}
