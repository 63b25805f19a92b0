// Package cniargs reads the CNI arguments that Kubernetes' runtimes give.
package cniargs

import "github.com/containernetworking/cni/pkg/types"

// PodName returns the pod of the arguments as namespace/name; empty without it: messages name the
// container then.
func PodName(arguments string) string {
	var cniArgs struct {
		types.CommonArgs
		K8S_POD_NAME, K8S_POD_NAMESPACE types.UnmarshallableString //nolint:revive // the names are those of the arguments
	}
	cniArgs.IgnoreUnknown = true
	if err := types.LoadArgs(arguments, &cniArgs); err != nil || cniArgs.K8S_POD_NAME == "" {
		return ""
	}
	return string(cniArgs.K8S_POD_NAMESPACE) + "/" + string(cniArgs.K8S_POD_NAME)
}
