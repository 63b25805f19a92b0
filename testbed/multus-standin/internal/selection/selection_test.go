package selection

import (
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	cases := map[string]struct {
		value string
		want  []Network
	}{
		"nothing":                {" ", nil},
		"name alone":             {"blue", []Network{{Name: "blue", Namespace: "apps"}}},
		"namespace and name":     {"net/blue", []Network{{Name: "blue", Namespace: "net"}}},
		"interface":              {"net/blue@eth5", []Network{{Name: "blue", Namespace: "net", Interface: "eth5"}}},
		"several, with spaces":   {"blue, net/red@r0", []Network{{Name: "blue", Namespace: "apps"}, {Name: "red", Namespace: "net", Interface: "r0"}}},
		"the same network twice": {"blue,blue", []Network{{Name: "blue", Namespace: "apps"}, {Name: "blue", Namespace: "apps"}}},
		"JSON, all that is read": {
			`[{"name":"blue","namespace":"net","interface":"b0","mac":"02:00:00:00:00:01","ips":["10.1.1.7/24"],
			   "infiniband-guid":"c2:11","portMappings":[{"hostPort":8080}],"bandwidth":{"ingressRate":1},"cni-args":{"color":"blue"}}]`,
			[]Network{{
				Name: "blue", Namespace: "net", Interface: "b0", MAC: "02:00:00:00:00:01", IPs: []string{"10.1.1.7/24"},
				InfinibandGUID: "c2:11", PortMappings: []any{map[string]any{"hostPort": 8080.0}},
				Bandwidth: map[string]any{"ingressRate": 1.0}, CNIArgs: map[string]any{"color": "blue"},
			}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := Parse(NetworksAnnotation, c.value, "apps")
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	cases := map[string]struct{ value, message string }{
		"an empty element":       {"blue,,red", `element 2: network name ""`},
		"an empty namespace":     {"/blue", "names no namespace"},
		"an empty interface":     {"blue@", "names no interface"},
		"a long interface":       {"blue@abcdefghijklmnop", `interface "abcdefghijklmnop" of network apps/blue`},
		"a bad name":             {"Blue", `network name "Blue"`},
		"broken JSON":            {`[{"name":`, "not a valid JSON list"},
		"a bad MAC":              {`[{"name":"blue","mac":"zz"}]`, `mac "zz" of network apps/blue`},
		"what it does not know":  {`[{"name":"blue","default-route":["10.0.0.1"]}]`, "default-route, which multus-standin does not support"},
		"claims of an IPAM":      {`[{"name":"blue","ipam-claim-reference":"c"}]`, "ipam-claim-reference"},
		"JSON without any name":  {`[{"namespace":"net"}]`, `network name ""`},
		"a namespace with slash": {"a/b/c", `network name "b/c"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(NetworksAnnotation, c.value, "apps")
			if err == nil {
				t.Fatal("accepted")
			}
			for _, part := range []string{NetworksAnnotation, c.message} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not contain %q", err, part)
				}
			}
		})
	}
}

func TestCapabilityArgsHoldOnlyWhatIsAsked(t *testing.T) {
	if got := (Network{Name: "blue"}).CapabilityArgs(); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	want := map[string]any{"mac": "02:00:00:00:00:01", "ips": []string{"10.1.1.7/24"}}
	if got := (Network{MAC: "02:00:00:00:00:01", IPs: []string{"10.1.1.7/24"}}).CapabilityArgs(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}
