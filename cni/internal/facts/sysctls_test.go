package facts

import (
	"errors"
	"os"
	"strings"
	"testing"
)

func TestSettingsAreThoseOfProcSys(t *testing.T) {
	here, err := OpenCurrent()
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	for range 2 { // the second time by the folder that is open
		for _, key := range []string{Forward4, RPFilter("all"), "kernel/ostype"} {
			want, err := os.ReadFile("/proc/sys/" + key)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := here.ReadSysctl(key); err != nil || got != strings.TrimSpace(string(want)) {
				t.Errorf("%s: got %q, %v, want %q", key, got, err, want)
			}
		}
	}
}

func TestASettingThatIsNotThereIsNamed(t *testing.T) {
	here, err := OpenCurrent()
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	for _, key := range []string{RPFilter("no-such-link"), "net/no-such-group/setting", "net"} {
		_, readErr := here.ReadSysctl(key)
		for _, err := range []error{readErr, here.WriteSysctl(key, "1")} {
			if err == nil || !strings.Contains(err.Error(), "/proc/sys/"+key+":") {
				t.Errorf("%s: got %v", key, err)
			}
			if key != "net" && !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s: got %v", key, err)
			}
		}
	}
}
