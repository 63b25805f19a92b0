package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/explain"
)

// runExplain prints the report of the network namespace it runs in: that of a pod, where
// `spidercoordinator explain` has it run in an ephemeral container.
func runExplain(arguments []string) int {
	if len(arguments) > 0 {
		fmt.Fprintln(os.Stderr, "coordinator-install: explain takes no arguments")
		return 2
	}
	report, err := explain.Read()
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(report)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "coordinator-install: explain:", err)
		return 1
	}
	return 0
}
