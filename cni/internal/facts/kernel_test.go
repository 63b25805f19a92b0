package facts

import (
	"strings"
	"testing"
)

func TestKernelsBeforeRulesHadAProtocolAreRefused(t *testing.T) {
	for release, refused := range map[string]bool{
		"3.10.0-1160.el7.x86_64": true, "4.16.18": true, "4.9.0-19-amd64": true,
		"4.17.0": false, "4.17-rc1": false, "4.18.0-553.el8_10.x86_64": false, "5.4.0-216-generic": false, "6.12.0": false,
		"": false, "unknown": false,
	} {
		err := CheckKernel(release)
		if (err != nil) != refused {
			t.Errorf("%q: got %v", release, err)
		}
		if err != nil && (!strings.Contains(err.Error(), release) || !strings.Contains(err.Error(), MinimumKernel)) {
			t.Errorf("%q: the error names neither: %v", release, err)
		}
	}
	if err := CheckKernel(KernelRelease()); err != nil || KernelRelease() == "" {
		t.Errorf("this kernel, %q: %v", KernelRelease(), err)
	}
}
