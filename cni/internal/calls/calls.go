// Package calls is what is the same of each call of a plugin: it is dispatched by its verb, counted, and answered.
package calls

import (
	"errors"
	"fmt"
	"log"
	"os"
	"runtime/debug"
	"time"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	"github.com/containernetworking/cni/pkg/version"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/counters"
)

// Failure is the answer to a call that failed, with the step at which it did.
type Failure struct {
	Step   counters.Step
	Answer *types.Error
}

func (f *Failure) Error() string { return f.Answer.Error() }

// Unwrap lets the dispatcher find the answer.
func (f *Failure) Unwrap() error { return f.Answer }

// Fail makes a failure.
func Fail(step counters.Step, code uint, message string) error {
	return &Failure{step, types.NewError(code, message, "")}
}

// Current is the call of this process, for what is to be recorded of it beside how it ended.
var Current = &counters.Call{}

// Main runs a plugin for one call and returns its exit code. The call is counted in the node's file, if there is one.
func Main(plugin counters.Plugin, funcs skel.CNIFuncs, versions version.PluginInfo, about string) int {
	began := time.Now()
	step := counters.Done
	if verb, ok := counters.ParseVerb(os.Getenv("CNI_COMMAND")); ok {
		Current = counters.Begin(counters.Path, plugin, verb, began)
	}
	defer func() { Current.End(step) }()
	for _, verb := range []*func(*skel.CmdArgs) error{&funcs.Add, &funcs.Del, &funcs.Check, &funcs.GC, &funcs.Status} {
		*verb = observed(*verb, &step)
	}
	failed := skel.PluginMainFuncsWithError(funcs, versions, about)
	if failed == nil {
		return 0
	}
	if step == counters.Done {
		step = counters.Request // the dispatcher's own error
	}
	if err := failed.Print(); err != nil {
		step = counters.Internal
		log.Print("cannot write the answer to standard output: ", err)
	}
	return 1
}

// observed is a verb that tells at which step it failed. A panic is an answer too: the runtime would show the
// stack of goroutines in its place.
func observed(verb func(*skel.CmdArgs) error, step *counters.Step) func(*skel.CmdArgs) error {
	return func(args *skel.CmdArgs) (err error) {
		*step = counters.Internal // while it runs: it may panic
		defer func() {
			if cause := recover(); cause != nil {
				log.Printf("panic: %v\n%s", cause, debug.Stack())
				err = Fail(counters.Internal, types.ErrInternal, fmt.Sprintf("container %s, interface %s: the plugin has a bug: %v; "+
					"report it with what the plugin wrote to the log of the container runtime or of Multus", args.ContainerID, args.IfName, cause))
			}
		}()
		err = verb(args)
		var failure *Failure
		switch {
		case err == nil:
			*step = counters.Done
		case errors.As(err, &failure):
			*step = failure.Step
		}
		return err
	}
}
