package facts

import (
	"errors"
	"testing"

	"github.com/vishvananda/netlink"
)

func TestInterruptedDumpsAreRepeated(t *testing.T) {
	broken := errors.New("no")
	for _, test := range []struct {
		name    string
		answers []error
		want    error
		calls   int
	}{
		{"at once", []error{nil}, nil, 1},
		{"interrupted twice", []error{netlink.ErrDumpInterrupted, netlink.ErrDumpInterrupted, nil}, nil, 3},
		{"another error", []error{broken}, broken, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			calls := 0
			entries, err := dump(func() ([]int, error) {
				calls++
				return []int{calls}, test.answers[calls-1]
			})
			if !errors.Is(err, test.want) || calls != test.calls || entries[0] != calls {
				t.Errorf("got %v, %v after %d calls", entries, err, calls)
			}
		})
	}
	if _, err := dump(func() ([]int, error) { return nil, netlink.ErrDumpInterrupted }); !errors.Is(err, netlink.ErrDumpInterrupted) {
		t.Errorf("a dump that is always interrupted is an error, got %v", err)
	}
}
