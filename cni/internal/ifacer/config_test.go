package ifacer

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func TestConfigurations(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       Config
	}{
		{"a VLAN", `"interfaces":["eth0"],"vlanID":120`, Config{Interfaces: []string{"eth0"}, VLAN: 120}},
		{"no VLAN", `"interfaces":["eth0"],"vlanID":0`, Config{Interfaces: []string{"eth0"}}},
		{"a bond", `"interfaces":["eth1","eth2"],"bond":{"name":"bond0","mode":1,"options":"miimon=100"}`,
			Config{Interfaces: []string{"eth1", "eth2"}, Bond: &Bond{Name: "bond0", Mode: 1, Options: Options{"miimon": "100"}}}},
		{"a bond without name", `"interfaces":["eth1","eth2"],"bond":{"mode":0},"vlanID":5`,
			Config{Interfaces: []string{"eth1", "eth2"}, VLAN: 5, Bond: &Bond{Name: "sp_bond0", Options: Options{}}}},
		{"a bond of one", `"interfaces":["eth1"],"bond":{"name":"bond0","mode":1},"vlanID":5`,
			Config{Interfaces: []string{"eth1"}, VLAN: 5, Warnings: []string{"bond bond0 is not made, for there is one interface only, eth1"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Parse([]byte(`{"cniVersion":"0.3.1","name":"net","type":"ifacer",` + test.text + `}`))
			if err != nil {
				t.Fatal(err)
			}
			test.want.Network, test.want.Version = "net", "0.3.1"
			if !reflect.DeepEqual(*got, test.want) {
				t.Errorf("got %+v, want %+v", *got, test.want)
			}
		})
	}
}

func TestEachRefusalNamesFieldValueAndWhatIsAllowed(t *testing.T) {
	const two = `"interfaces":["eth1","eth2"]`
	for text, words := range map[string]string{
		``:                                            `network "net": interfaces is empty`,
		`"interfaces":[]`:                             `interfaces is empty`,
		`"interfaces":[""]`:                           `interfaces[0] is "": an interface's name`,
		`"interfaces":["a/b"]`:                        `interfaces[0] is "a/b"`,
		`"interfaces":["eth0","eth0"]`:                `interfaces[1] is "eth0", which is in the list twice`,
		`"interfaces":"eth0"`:                         `interfaces is a string, it must be a list`,
		`"interfaces":["eth0"],"vlanID":4095`:         `vlanID is 4095: allowed are 1 to 4094`,
		`"interfaces":["eth0"],"vlanID":-1`:           `vlanID is -1`,
		`"interfaces":["eth0"],"vlanID":"120"`:        `vlanID is a string, it must be a whole number`,
		`"interfaces":["enp129s0f0np0"],"vlanID":120`: `"enp129s0f0np0.120", which has 17 characters`,
		two: `interfaces are eth1, eth2, and there is no bond`,
		two + `,"bond":{"name":"bond0","mode":7}`:                             `bond.mode is 7: allowed are 0 to 6`,
		two + `,"bond":{"name":"bond0","mode":-1}`:                            `bond.mode is -1`,
		two + `,"bond":{"name":"bond0","mode":"802.3ad"}`:                     `bond.mode is a string, it must be a whole number`,
		two + `,"bond":{"name":"a bond","mode":0}`:                            `bond.name is "a bond"`,
		two + `,"bond":{"name":"bond0123456789ab","mode":0}`:                  `bond.name is "bond0123456789ab", which has 16 characters`,
		two + `,"bond":{"name":"eth1","mode":0}`:                              `bond.name is "eth1", which is one of its own interfaces`,
		two + `,"bond":{"name":"b","options":"miimon"}`:                       `bond.options has "miimon": an option is written as miimon=100`,
		two + `,"bond":{"name":"b","options":"miimon=1 updelay=2"}`:           `bond.options has "miimon=1 updelay=2"`,
		two + `,"bond":{"name":"b","options":"mimon=1"}`:                      `bond.options has the option "mimon": allowed are active_slave, ad_actor_sys_prio`,
		two + `,"bond":{"name":"b","options":"miimon=soon"}`:                  `bond.options: miimon is "soon": allowed is a whole number from 0 to 2147483647`,
		two + `,"bond":{"name":"b","options":"lacp_rate=2"}`:                  `bond.options: lacp_rate is "2": allowed is 0 to 1 or slow, fast`,
		two + `,"bond":{"name":"b","options":"arp_ip_target=fe80::1"}`:        `bond.options: arp_ip_target is "fe80::1": allowed is up to 16 IPv4 addresses`,
		two + `,"bond":{"name":"b","options":"ad_actor_system=1"}`:            `bond.options: ad_actor_system is "1": allowed is a MAC address`,
		two + `,"bond":{"name":"b","options":"primary=eth3"}`:                 `bond.options: primary is "eth3": allowed are the bond's interfaces, eth1, eth2`,
		two + `,"bond":{"name":"b","mode":1,"options":"lacp_rate=1"}`:         `bond.options: lacp_rate does not go with bond.mode 1: it is for 4;`,
		two + `,"bond":{"name":"b","mode":1,"options":"packets_per_slave=2"}`: `bond.options: packets_per_slave does not go with bond.mode 1: it is for 0;`,
		two + `,"bond":{"name":"b","mode":4,"options":"arp_interval=100"}`:    `bond.options: arp_interval does not go with bond.mode 4: it is for 0, 1, 2, 3;`,
		two + `,"bond":{"name":"b","mode":0,"options":"primary=eth1"}`:        `bond.options: primary does not go with bond.mode 0: it is for 1, 5, 6;`,
		two + `,"bond":{"name":"b","options":"miimon=1;arp_interval=1"}`:      `bond.options: miimon and arp_interval exclude each other`,
		two + `,"bond":{"name":"b","options":"miimon=1;miimon=2"}`:            `bond.options: miimon is in it twice, with 1 and 2`,
	} {
		comma := ","
		if text == "" {
			comma = ""
		}
		_, err := Parse([]byte(`{"cniVersion":"0.3.1","name":"net","type":"ifacer"` + comma + text + `}`))
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: got %v, want %q", text, err, words)
		}
	}
	if _, err := Parse([]byte(`{`)); err == nil || !strings.Contains(err.Error(), "not valid JSON") {
		t.Errorf("got %v", err)
	}
}

func TestOptionsOfTheMode(t *testing.T) {
	for mode, options := range map[int]string{
		0: "packets_per_slave=2;arp_interval=100", 1: "arp_interval=100;arp_validate=all;primary=eth1;miimon=0", 4: "lacp_rate=fast;miimon=100;arp_interval=0",
		5: "active_slave=eth2", 6: "primary=eth1",
	} {
		text := fmt.Sprintf(`{"cniVersion":"0.3.1","name":"net","interfaces":["eth1","eth2"],"bond":{"mode":%d,"options":%q}}`, mode, options)
		if _, err := Parse([]byte(text)); err != nil {
			t.Errorf("mode %d, %s: %v", mode, options, err)
		}
	}
}

func TestOptionsHaveTheKernelsWordsAndNumbers(t *testing.T) {
	for text, want := range map[string]Options{
		"":                          {},
		" ; ":                       {},
		"miimon=100; min_links=1":   {"miimon": "100", "min_links": "1"},
		"xmit_hash_policy=layer3+4": {"xmit_hash_policy": "1"},
		"lacp_rate=fast;ad_select=bandwidth;fail_over_mac=active": {"lacp_rate": "1", "ad_select": "1", "fail_over_mac": "1"},
		"up_delay=200;down_delay=100;peer_notif_delay=2":          {"updelay": "200", "downdelay": "100", "num_grat_arp": "2"},
		"arp_ip_target=10.0.0.1, 10.0.0.2":                        {"arp_ip_target": "10.0.0.1,10.0.0.2"},
		`arp_ip_target=["10.0.0.1","10.0.0.2"]`:                   {"arp_ip_target": "10.0.0.1,10.0.0.2"},
		"ad_actor_system=0A:00:00:00:00:01":                       {"ad_actor_system": "0a:00:00:00:00:01"},
		"primary=eth1;active_slave=eth2;miimon=0100":              {"primary": "eth1", "active_slave": "eth2", "miimon": "100"},
	} {
		got, err := ParseOptions(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v %v, want %v", text, got, err, want)
		}
	}
}

// TestWhatTheOperatorRenders reads the operator's golden files: each section is understood, and the next
// plugin's master is the interface that is made.
func TestWhatTheOperatorRenders(t *testing.T) {
	files, err := filepath.Glob("../../../tests/unit/network/render/golden/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	// The golden files put a word in place of the coordinator's section, so that the whole is no JSON.
	rendered := regexp.MustCompile(`"cniVersion":"([0-9.]+)".*"plugins":\[(\{.*\}),\{"type":"[a-z]+","master":"([^"]+)"`)
	count := 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(content), `"ifacer"`) {
			continue
		}
		count++
		match := rendered.FindSubmatch(content)
		if match == nil {
			t.Fatalf("%s: this plugin is not followed by one with a master", file)
		}
		checkRendered(t, file, string(match[1]), match[2], string(match[3]))
	}
	if count < 5 {
		t.Errorf("%d golden files with this plugin, want VLANs and bonds of all types", count)
	}
}

func checkRendered(t *testing.T, file, version string, text []byte, master string) {
	t.Helper()
	section := map[string]any{}
	if err := json.Unmarshal(text, &section); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	section["name"], section["cniVersion"] = "net", version
	stdin, err := json.Marshal(section)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := Parse(stdin)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	made := cfg.VLANName()
	if made == "" {
		made = cfg.Parent()
	}
	if section["type"] != "ifacer" || master != made {
		t.Errorf("%s: the master is %v, and %s is made", file, master, made)
	}
}
