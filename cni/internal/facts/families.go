package facts

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// ipv6Sysctls is not there where the kernel has no IPv6 (not compiled in, or ipv6.disable=1).
const ipv6Sysctls = "/proc/sys/net/ipv6/conf/all"

// lacksFamily says whether a look-up failed because the kernel has no such family, which is a fact and
// no failure. The kernel answers EAFNOSUPPORT to rules and sockets, and EOPNOTSUPP to routes.
func lacksFamily(family Family, err error) bool {
	return family == V6 &&
		(errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPROTONOSUPPORT))
}

// lacksIPv6 says whether the namespace of the calling thread has no IPv6. Nothing of that family is
// read there or written.
func lacksIPv6() bool {
	_, err := os.Stat(ipv6Sysctls)
	return errors.Is(err, os.ErrNotExist)
}

// Has says whether the namespace has a family.
func (s *NetnsState) Has(family Family) bool { return family == V4 || !s.NoIPv6 }
