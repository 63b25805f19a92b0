package calls

import (
	"errors"
	"testing"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/counters"
)

func TestAVerbTellsAtWhichStepItFailed(t *testing.T) {
	for _, row := range []struct {
		name string
		err  error
		step counters.Step
	}{
		{"none", nil, counters.Done},
		{"a step's", Fail(counters.Apply, 100, "no room"), counters.Apply},
		{"one around it", errors.Join(Fail(counters.Plan, 7, "no way")), counters.Plan},
		{"of no step", types.NewError(100, "no room", ""), counters.Internal},
	} {
		step := counters.Done
		err := observed(func(*skel.CmdArgs) error { return row.err }, &step)(nil)
		if !errors.Is(err, row.err) || step != row.step {
			t.Errorf("%s: %v at %s, want %s", row.name, err, step, row.step)
		}
	}
}

func TestAPanicIsInternal(t *testing.T) {
	step := counters.Done
	verb := observed(func(*skel.CmdArgs) error { panic("a bug") }, &step)
	func() {
		defer func() { _ = recover() }()
		_ = verb(nil)
	}()
	if step != counters.Internal {
		t.Errorf("%s, want %s", step, counters.Internal)
	}
}

func TestTheAnswerIsTheFailures(t *testing.T) {
	var answer *types.Error
	if err := Fail(counters.Conflict, 102, "in use"); !errors.As(err, &answer) || answer.Code != 102 || answer.Msg != "in use" {
		t.Errorf("%v", answer)
	}
}
