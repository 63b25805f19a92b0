package facts

import (
	"errors"
	"testing"
)

func TestWhatChangesWhileItIsReadIsReadAgain(t *testing.T) {
	gone := errors.New("no such chain")
	for _, test := range []struct {
		name        string
		generations []uint32
		errs        []error
		want        error
		reads       int
	}{
		{"unchanged", []uint32{7, 7}, []error{nil}, nil, 1},
		{"changed twice", []uint32{7, 8, 9, 9}, []error{nil, nil, nil}, nil, 3},
		{"an error of a state that went", []uint32{7, 8, 8}, []error{gone, nil}, nil, 2},
		{"an error of one state", []uint32{7, 7}, []error{gone}, gone, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			asked, reads := 0, 0
			generation := func() (uint32, error) {
				asked++
				return test.generations[asked-1], nil
			}
			got, err := unchanged(generation, func() (int, error) {
				reads++
				return reads, test.errs[reads-1]
			})
			if !errors.Is(err, test.want) || reads != test.reads || got != reads {
				t.Errorf("got %d, %v after %d readings", got, err, reads)
			}
		})
	}
}

func TestWhatAlwaysChangesIsUnknown(t *testing.T) {
	number := uint32(0)
	generation := func() (uint32, error) {
		number++
		return number, nil
	}
	if _, err := unchanged(generation, func() (int, error) { return 1, nil }); !errors.Is(err, errAlwaysChanging) {
		t.Errorf("got %v", err)
	}
	refused := errors.New("not permitted")
	generation = func() (uint32, error) { return 0, refused }
	if _, err := unchanged(generation, func() (int, error) { return 1, nil }); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
}
