package facts

import "fmt"

// PodWithoutMarks reads the state of the current network namespace as a pod's, except for the nftables
// tables, which need CAP_NET_ADMIN.
func PodWithoutMarks(pod *Namespace) (*NetnsState, error) {
	state := &NetnsState{}
	if err := readPodWithoutMarks(pod, state); err != nil {
		return nil, fmt.Errorf("read the state of the pod: %w", err)
	}
	return state, nil
}

// ReadMarks reads how much of the private nftables tables of a pod, the current network namespace, is in
// place, which needs CAP_NET_ADMIN.
func ReadMarks(pod *Namespace, state *NetnsState) error { return readMarkStates(pod, state) }
