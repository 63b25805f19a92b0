package config

import (
	"fmt"
	"reflect"
	"testing"
)

// values are two values of each kind of key.
var values = map[reflect.Type][2]any{
	reflect.TypeFor[string]():        {"a", "b"},
	reflect.TypeFor[bool]():          {false, true},
	reflect.TypeFor[int]():           {0, 1},
	reflect.TypeFor[[]string]():      {[]string{"a", "b"}, []string{"ab"}},
	reflect.TypeFor[[]policyRoute](): {[]policyRoute{{Dst: "a", Gw: "b"}}, []policyRoute{{Dst: "b", Gw: "a"}}},
}

func TestEachKeyMakesAnotherRevision(t *testing.T) {
	seen := map[uint64]string{(&Config{}).Revision(): "nothing is set"}
	kind := reflect.TypeFor[section]()
	for index := range kind.NumField() {
		for _, value := range values[kind.Field(index).Type.Elem()] {
			cfg := &Config{}
			pointer := reflect.New(kind.Field(index).Type.Elem())
			pointer.Elem().Set(reflect.ValueOf(value))
			reflect.ValueOf(&cfg.section).Elem().Field(index).Set(pointer)
			name := fmt.Sprintf("%s is %v", kind.Field(index).Name, value)
			if other, ok := seen[cfg.Revision()]; ok {
				t.Errorf("the revision is the same when %s and when %s", name, other)
			}
			seen[cfg.Revision()] = name
		}
	}
	if len(seen) != 1+2*kind.NumField() {
		t.Errorf("%d revisions of %d keys", len(seen), kind.NumField())
	}
}

func TestWhatIsNotOfTheNetworkMakesNoOtherRevision(t *testing.T) {
	const base = `"cniVersion":"1.0.0","name":"net","mode":"underlay","overlayPodCIDR":["10.1.0.0/16"]`
	revisions := map[uint64]string{}
	for _, more := range []string{
		"", `,"args":{"cni":{"podDefaultRouteNIC":"net1"}}`, `,"runtimeConfig":{"mac":"0a:1b:2c:3d:4e:5f"}`,
		`,"prevResult":{"cniVersion":"1.0.0","interfaces":[{"name":"eth0"}]}`,
	} {
		cfg, err := Parse([]byte("{"+base+more+"}"), "/nonexistent")
		if err != nil {
			t.Fatal(err)
		}
		revisions[cfg.Revision()] = more
	}
	if len(revisions) != 1 {
		t.Errorf("%v", revisions)
	}
}
