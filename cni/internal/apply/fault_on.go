//go:build faultinjection

package apply

import (
	"errors"
	"os"
	"strconv"
)

// fault makes the step of that number fail (COORDINATOR_FAIL_AT) or the process die before it
// (COORDINATOR_DIE_AT). Only the binary that the tests build has it.
func fault(step int) error {
	number := strconv.Itoa(step)
	if os.Getenv("COORDINATOR_DIE_AT") == number {
		os.Exit(137)
	}
	if os.Getenv("COORDINATOR_FAIL_AT") == number {
		return errors.New("injected fault")
	}
	return nil
}
