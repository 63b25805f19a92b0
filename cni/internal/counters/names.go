// Package counters keeps what the plugins and the installer count on a node, in one file of fixed size that they
// map into memory: see docs/decisions/0017.
package counters

import "time"

// Plugin is a plugin of this product.
type Plugin int

// The plugins.
const (
	Coordinator Plugin = iota
	Ifacer
)

// Verb is what a runtime asks a plugin to do.
type Verb int

// The verbs of the CNI specification that change or read the network.
const (
	Add Verb = iota
	Del
	Check
	GC
	Status
)

// Step is where a call failed; Done is that of one that did not.
type Step int

// The steps, in the order in which a call comes by them.
const (
	Done          Step = iota
	Request            // what the runtime handed over is not as the CNI specification has it
	NotReady           // the cluster's configuration lets no pod be connected now
	Configuration      // the network's configuration
	Kernel             // the node's kernel is too old
	Namespaces         // the network namespaces of node or pod cannot be opened
	Observe            // reading the state of pod and node
	Plan               // no plan leads from there to the configuration
	Conflict           // an address is in use, or a gateway does not answer
	Apply              // the kernel refused a change
	NotInSync          // CHECK: observed and desired state differ
	Internal           // a bug, or the answer could not be written
)

// Repair is what the resident installer set right.
type Repair int

// What is repaired.
const (
	RepairPlugin   Repair = iota // a plugin on the node was not the image's
	RepairRuleIPv4               // a rule of the node to pods was gone
	RepairRuleIPv6
	RepairRouteIPv4 // a route of the node to a pod had a source that the node has lost
	RepairRouteIPv6
)

// Bounds are the upper bounds of the buckets of durations; one more bucket has what took longer.
var Bounds = [...]time.Duration{
	2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

var (
	pluginNames = [...]string{"coordinator", "ifacer"}
	verbNames   = [...]string{"ADD", "DEL", "CHECK", "GC", "STATUS"}
	stepNames   = [...]string{
		"", "request", "not_ready", "configuration", "kernel", "namespaces", "observe", "plan", "conflict", "apply", "not_in_sync", "internal",
	}
	repairNames = [...]string{"plugin", "rule_ipv4", "rule_ipv6", "route_ipv4", "route_ipv6"}
)

func (p Plugin) String() string { return pluginNames[p] }
func (v Verb) String() string   { return verbNames[v] }
func (s Step) String() string   { return stepNames[s] }
func (r Repair) String() string { return repairNames[r] }

// ParseVerb reads CNI_COMMAND; ok is false for VERSION, which is not counted, and for what is no verb.
func ParseVerb(command string) (verb Verb, ok bool) {
	for index, name := range verbNames {
		if name == command {
			return Verb(index), true
		}
	}
	return 0, false
}

// possible are the steps at which the verbs of a plugin can fail, beside Request and Internal, at which all can.
var possible = map[Plugin]map[Verb][]Step{
	Coordinator: {
		Add:    {NotReady, Configuration, Kernel, Namespaces, Observe, Plan, Conflict, Apply},
		Del:    {Namespaces, Apply},
		Check:  {Configuration, Namespaces, Observe, NotInSync},
		GC:     {Namespaces, Observe, Apply},
		Status: {NotReady, Configuration, Kernel, Namespaces, Observe},
	},
	Ifacer: {
		Add:    {Configuration, Namespaces, Plan, Apply},
		Del:    {},
		Check:  {Configuration, Namespaces, NotInSync},
		GC:     {},
		Status: {Configuration, Namespaces, Observe},
	},
}

// Possible lists the steps at which a verb of a plugin can fail, so that a reader may tell of those that never did.
func Possible(plugin Plugin, verb Verb) []Step {
	return append([]Step{Request, Internal}, possible[plugin][verb]...)
}

// Verbs are all verbs, Plugins all plugins, Repairs all repairs.
var (
	Verbs   = []Verb{Add, Del, Check, GC, Status}
	Plugins = []Plugin{Coordinator, Ifacer}
	Repairs = []Repair{RepairPlugin, RepairRuleIPv4, RepairRuleIPv6, RepairRouteIPv4, RepairRouteIPv6}
)
