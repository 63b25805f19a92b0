// Package nodemetrics tells Prometheus what the plugins and the installer counted on a node, and what the node has.
//
// Names follow https://prometheus.io/docs/practices/naming/. Labels have only words that are in the code, kinds of
// interfaces that the kernel has, and the names of the node's CNI plugins.
package nodemetrics

import (
	"log"
	"runtime"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/counters"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/nodereport"
)

// mostPlugins is how many plugins of a node are named, so that whatever is put into their folder makes no more series.
const mostPlugins = 100

// Collector reads the node at each scrape.
type Collector struct {
	Counters  string                         // the file of counters
	PluginDir string                         // the node's CNI plugins
	Kinds     func() (map[string]int, error) // how many interfaces the node has, by kind; nil: they cannot be seen
	Version   string

	mutex    sync.Mutex
	lastSaid map[string]string
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("spidercoordinator_"+name, help, labels, nil)
}

var (
	begun      = desc("cni_calls_started_total", "Calls of the plugins that began, also those that were killed.", "plugin", "verb")
	ended      = desc("cni_calls_total", "Calls of the plugins that ended, by outcome (success, failure).", "plugin", "verb", "outcome")
	failures   = desc("cni_failures_total", "Calls of the plugins that failed, by the step at which they did.", "plugin", "verb", "step")
	durations  = desc("cni_call_duration_seconds", "How long calls of the plugins took.", "plugin", "verb")
	repairs    = desc("node_repairs_total", "What the installer set right on the node, by what it was.", "object")
	resyncs    = desc("node_resyncs_total", "Resyncs of the installer, by outcome (success, failure).", "outcome")
	lastResync = desc("node_last_resync_timestamp_seconds", "When the installer's last resync ended, in seconds since 1970.")
	counting   = desc("node_counters_readable", "Whether the counters of the node can be read (1) or not (0).")
	attached   = desc("cni_attachments", "Interfaces of pods, by whether the plugin set them up with the newest configuration of their network that it knows here (newest, older).", "configuration")
	plugins    = desc("node_plugin_info", "The programs in the node's folder of CNI plugins.", "plugin")
	multus     = desc("node_multus_installed", "Whether a program of Multus is among the node's CNI plugins (1) or not (0).")
	interfaces = desc("node_interfaces", "Interfaces of the node's network, without lo, by kind as in ip -d link; device: hardware.", "kind")
	build      = desc("node_build_info", "The version of the program that serves these metrics, and of Go.", "version", "goversion")
)

// Describe sends all descriptions.
func (c *Collector) Describe(descriptions chan<- *prometheus.Desc) {
	for _, each := range []*prometheus.Desc{
		begun, ended, failures, durations, repairs, resyncs, lastResync, counting, attached, plugins, multus, interfaces, build,
	} {
		descriptions <- each
	}
}

// Collect sends all metrics. What cannot be read is left out; counters that cannot be say so themselves.
func (c *Collector) Collect(metrics chan<- prometheus.Metric) {
	counts, err := counters.Read(c.Counters)
	c.say("counters", err)
	metrics <- gauge(counting, truth(err == nil))
	if err == nil {
		collectCalls(metrics, counts)
		collectInstaller(metrics, counts)
	}
	c.collectNode(metrics)
	metrics <- gauge(build, 1, c.Version, runtime.Version())
}

func collectCalls(metrics chan<- prometheus.Metric, counts *counters.Counts) {
	for _, plugin := range counters.Plugins {
		for _, verb := range counters.Verbs {
			calls := &counts.Calls[plugin][verb]
			labels := []string{plugin.String(), verb.String()}
			metrics <- counter(begun, calls.Begun, labels...)
			metrics <- counter(ended, calls.Ended[counters.Done], append(labels, "success")...)
			metrics <- counter(ended, failed(calls), append(labels, "failure")...)
			for step, count := range counted(plugin, verb, calls) {
				metrics <- counter(failures, count, append(labels, step.String())...)
			}
			metrics <- histogram(calls, labels...)
		}
	}
}

// counted are the failures by step: of the steps at which there can be any, and of those at which there were.
func counted(plugin counters.Plugin, verb counters.Verb, calls *counters.Calls) map[counters.Step]uint64 {
	found := map[counters.Step]uint64{}
	for _, step := range counters.Possible(plugin, verb) {
		found[step] = 0
	}
	for step, count := range calls.Ended {
		if step := counters.Step(step); step != counters.Done && count > 0 {
			found[step] = count
		}
	}
	return found
}

func failed(calls *counters.Calls) (sum uint64) {
	for step, count := range calls.Ended {
		if counters.Step(step) != counters.Done {
			sum += count
		}
	}
	return sum
}

// histogram makes the cumulative buckets that Prometheus wants; their last is the count.
func histogram(calls *counters.Calls, labels ...string) prometheus.Metric {
	cumulative, sum := make(map[float64]uint64, len(counters.Bounds)), uint64(0)
	for index, bound := range counters.Bounds {
		sum += calls.Buckets[index]
		cumulative[bound.Seconds()] = sum
	}
	sum += calls.Buckets[len(counters.Bounds)]
	return prometheus.MustNewConstHistogram(durations, sum, calls.Spent.Seconds(), cumulative, labels...)
}

func collectInstaller(metrics chan<- prometheus.Metric, counts *counters.Counts) {
	for _, repair := range counters.Repairs {
		metrics <- counter(repairs, counts.Repairs[repair], repair.String())
	}
	metrics <- gauge(attached, float64(counts.Newest), "newest")
	metrics <- gauge(attached, float64(counts.Older), "older")
	metrics <- counter(resyncs, counts.Resyncs, "success")
	metrics <- counter(resyncs, counts.ResyncsFailed, "failure")
	if counts.LastResyncUnix > 0 {
		metrics <- gauge(lastResync, float64(counts.LastResyncUnix))
	}
}

func (c *Collector) collectNode(metrics chan<- prometheus.Metric) {
	names, hasMultus := nodereport.Plugins(c.PluginDir), false
	for index, name := range names {
		hasMultus = hasMultus || strings.HasPrefix(name, "multus")
		if index < mostPlugins && utf8.ValidString(name) { // Prometheus takes no other labels
			metrics <- gauge(plugins, 1, name)
		}
	}
	if names != nil {
		metrics <- gauge(multus, truth(hasMultus))
	}
	if c.Kinds == nil {
		return
	}
	kinds, err := c.Kinds()
	c.say("interfaces", err)
	for kind, count := range kinds {
		metrics <- gauge(interfaces, float64(count), kind)
	}
}

// say logs an error once, until there is another or none.
func (c *Collector) say(what string, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.lastSaid == nil {
		c.lastSaid = map[string]string{}
	}
	if text != "" && text != c.lastSaid[what] {
		log.Printf("the %s of the node cannot be read: %s", what, text)
	}
	c.lastSaid[what] = text
}

func counter(desc *prometheus.Desc, value uint64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(value), labels...)
}

func gauge(desc *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}

func truth(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}
