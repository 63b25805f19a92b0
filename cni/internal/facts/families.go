package facts

import (
	"errors"

	"golang.org/x/sys/unix"
)

// lacksFamily says whether a look-up failed because the kernel has no such family, which is a fact and
// no failure. The kernel answers EAFNOSUPPORT to rules and sockets, and EOPNOTSUPP to routes.
func lacksFamily(family Family, err error) bool {
	return family == V6 &&
		(errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPROTONOSUPPORT))
}

// Has says whether the namespace has a family.
func (s *NetnsState) Has(family Family) bool { return family == V4 || !s.NoIPv6 }
