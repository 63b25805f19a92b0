package attach

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Plugins read of Multus' record which interfaces are still to come: the keys are those of its type
// DelegateNetConf.
func TestTheRecordHasTheFormOfMultus(t *testing.T) {
	b := newBed(t)
	b.annotations["k8s.v1.cni.cncf.io/networks"] = "blue,net/red@r0"
	b.networks["apps/blue"], b.networks["net/red"] = noteList, noteList
	_, err := b.sandbox().Add(context.Background())
	b.must(err)
	raw, err := os.ReadFile(filepath.Join(b.dir, "state", "c1"))
	b.must(err)
	var delegates []struct {
		ConfList struct {
			Plugins []struct {
				Type string `json:"type"`
			} `json:"plugins"`
		}
		Name          string
		IfnameRequest *string `json:"ifnameRequest"`
	}
	b.must(json.Unmarshal(raw, &delegates))
	want := []struct{ name, requested string }{{"cluster", ""}, {"apps/blue", ""}, {"net/red", "r0"}}
	if len(delegates) != len(want) {
		t.Fatalf("record %s", raw)
	}
	for i, d := range delegates {
		requested := ""
		if d.IfnameRequest != nil {
			requested = *d.IfnameRequest
		}
		if d.Name != want[i].name || requested != want[i].requested || len(d.ConfList.Plugins) != 1 {
			t.Errorf("element %d of %s, want %v", i, raw, want[i])
		}
	}
	b.must(b.sandbox().Del(context.Background()))
	if _, err := os.Stat(filepath.Join(b.dir, "state", "c1")); err == nil {
		t.Error("the record is still there")
	}
}
