package facts

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// MinimumKernel is the first kernel that keeps the protocol of a rule (FRA_PROTOCOL): an older one drops it
// silently, and nobody could tell this plugin's rules from others'.
const MinimumKernel = "4.17"

// KernelRelease is the release of the running kernel, as uname -r prints it.
func KernelRelease() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}

// CheckKernel refuses a release before MinimumKernel; one that cannot be read is not refused.
func CheckKernel(release string) error {
	const leastMajor, leastMinor = 4, 17
	var major, minor int
	if count, _ := fmt.Sscanf(release, "%d.%d", &major, &minor); count != 2 {
		return nil
	}
	if major > leastMajor || (major == leastMajor && minor >= leastMinor) {
		return nil
	}
	return fmt.Errorf("the node's kernel %s is too old: the coordinator needs Linux %s or newer", release, MinimumKernel)
}
