package facts

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestAttachmentsAsMultusRecordsThem(t *testing.T) {
	for _, test := range []struct {
		name, content string
		want          []string
	}{
		{"numbered", `[{"Conf":{"name":"a"}},{"Conf":{"name":"b"}}]`, []string{"eth0", "net1"}},
		{"named", `[{},{"ifnameRequest":"nic7"},{}]`, []string{"eth0", "nic7", "net2"}},
		{"broken", `[{`, nil},
		{"empty", `[]`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "cid"), []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			names, ok := Attachments(dir, "cid", "eth0")
			if ok != (test.want != nil) || !slices.Equal(names, test.want) {
				t.Errorf("got %v %t", names, ok)
			}
		})
	}
	if _, ok := Attachments(t.TempDir(), "cid", "eth0"); ok {
		t.Error("without a record nothing is known")
	}
}
