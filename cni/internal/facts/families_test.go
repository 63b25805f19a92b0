package facts

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

func TestWhatSaysThatTheKernelHasNoSuchFamily(t *testing.T) {
	for _, test := range []struct {
		family Family
		err    error
		want   bool
	}{
		{V6, unix.EAFNOSUPPORT, true},
		{V6, unix.EOPNOTSUPP, true},
		{V6, unix.EPROTONOSUPPORT, true},
		{V6, fmt.Errorf("list routes: %w", unix.EOPNOTSUPP), true},
		{V6, unix.EPERM, false},
		{V6, nil, false},
		{V4, unix.EAFNOSUPPORT, false},
		{V4, unix.EOPNOTSUPP, false},
	} {
		if got := lacksFamily(test.family, test.err); got != test.want {
			t.Errorf("%s, %v: got %t", test.family, test.err, got)
		}
	}
}
