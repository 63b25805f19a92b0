package install

import (
	"bytes"
	"os"
)

// Uninstalling says whether the product is being removed from the cluster, and not only this pod from the
// node. The file is the value of an annotation of the pod, which the next pod does not have. One that cannot be
// read says nothing: the plugins stay.
func (i *Installer) Uninstalling() bool {
	if i.UninstallMark == "" {
		return false
	}
	content, err := os.ReadFile(i.UninstallMark)
	return err == nil && len(bytes.TrimSpace(content)) > 0
}
