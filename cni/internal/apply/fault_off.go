//go:build !faultinjection

package apply

// fault is where tests let a step fail or the process die; see fault_on.go.
func fault(int) error { return nil }
