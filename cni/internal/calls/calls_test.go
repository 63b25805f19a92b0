package calls

import (
	"errors"
	"io"
	"log"
	"os"
	"strings"
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

func TestAPanicIsAnAnswer(t *testing.T) {
	log.SetOutput(io.Discard) // the stack
	defer log.SetOutput(os.Stderr)
	step := counters.Done
	err := observed(func(*skel.CmdArgs) error { panic("nil dereference") }, &step)(&skel.CmdArgs{ContainerID: "abc", IfName: "net1"})
	var answer *types.Error
	if !errors.As(err, &answer) || answer.Code != types.ErrInternal || step != counters.Internal {
		t.Fatalf("%v at %s", err, step)
	}
	for _, word := range []string{"container abc", "interface net1", "nil dereference"} {
		if !strings.Contains(answer.Msg, word) {
			t.Errorf("%q is not in %q", word, answer.Msg)
		}
	}
}

func TestTheAnswerIsTheFailures(t *testing.T) {
	var answer *types.Error
	if err := Fail(counters.Conflict, 102, "in use"); !errors.As(err, &answer) || answer.Code != 102 || answer.Msg != "in use" {
		t.Errorf("%v", answer)
	}
}
