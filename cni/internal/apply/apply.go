// Package apply executes a plan and rolls back when a step fails.
package apply

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/facts"
	"github.com/spidercoordinator/spidercoordinator/cni/internal/plan"
)

// Kernel executes operations in the network namespaces of the pod and of the node. Pod is nil when
// the pod's does not exist any more.
type Kernel struct {
	Pod, Host *facts.Namespace
	indexes   map[facts.Side]map[string]int
}

// StepError is a step that failed.
type StepError struct {
	Step     string
	Err      error
	Rollback error // what could not be rolled back, if anything
}

func (e *StepError) Error() string {
	if e.Rollback != nil {
		return fmt.Sprintf("%s: %v (rollback failed: %v)", e.Step, e.Err, e.Rollback)
	}
	return fmt.Sprintf("%s: %v", e.Step, e.Err)
}

func (e *StepError) Unwrap() error { return e.Err }

// Run executes the operations in order. On an error it rolls back the ones before, last first.
func (k *Kernel) Run(ops []plan.Op) error {
	for done, op := range ops {
		err := fault(done)
		if err == nil {
			err = k.do(op.Do)
		}
		if err != nil {
			return &StepError{op.Do.String(), err, k.rollBack(ops[:done])}
		}
	}
	return nil
}

func (k *Kernel) rollBack(done []plan.Op) error {
	var errs []error
	for i := len(done) - 1; i >= 0; i-- {
		if done[i].Undo == nil {
			continue
		}
		if err := k.do(done[i].Undo); err != nil && !isNotFound(err) {
			errs = append(errs, fmt.Errorf("%s: %w", done[i].Undo, err))
		}
	}
	return errors.Join(errs...)
}

// RunAll executes every operation, also after one fails: DEL and GC must remove as much as they can.
// What does not exist any more is no error.
func (k *Kernel) RunAll(ops []plan.Op) error {
	var errs []error
	for done, op := range ops {
		err := fault(done)
		if err == nil {
			err = k.do(op.Do)
		}
		if err != nil && !isNotFound(err) {
			errs = append(errs, fmt.Errorf("%s: %w", op.Do, err))
		}
	}
	return errors.Join(errs...)
}

// isNotFound says whether the kernel's error means that there is nothing to remove.
func isNotFound(err error) bool {
	for _, notFound := range []error{unix.ENOENT, unix.ESRCH, unix.ENODEV, unix.EADDRNOTAVAIL, errNoLink} {
		if errors.Is(err, notFound) {
			return true
		}
	}
	return false
}
