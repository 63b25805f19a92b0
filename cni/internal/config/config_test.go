package config

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const noDefaults = "/nonexistent/defaults.json"

// complete makes a section one that needs no defaults; keys after it win.
const complete = `"serviceCIDR":[],`

// conf makes a network configuration from the keys of its coordinator section.
func conf(keys string) []byte {
	return []byte(`{"cniVersion":"1.0.0","name":"net","type":"coordinator",` + keys + `}`)
}

func parse(t *testing.T, keys string) *Config {
	t.Helper()
	cfg, err := Parse(conf(complete+keys), noDefaults)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestUnsetKeysHaveTheirDefault(t *testing.T) {
	cfg := parse(t, `"serviceCIDR":[]`)
	if cfg.Mode != ModeAuto || cfg.HostRuleTable != 500 || cfg.VethMTU != 0 || cfg.PodRPFilter != 0 ||
		cfg.HostRPFilter != nil || !cfg.TunePodRoutes || cfg.First != "eth0" || cfg.VethLinkAddress.IsValid() {
		t.Errorf("unexpected defaults: %+v", cfg)
	}
}

func TestValuesAreParsed(t *testing.T) {
	for keys, read := range map[string]func(*Config) any{
		`"mode":"disable"=disabled`:                                       func(c *Config) any { return c.Mode },
		`"mode":""=auto`:                                                  func(c *Config) any { return c.Mode },
		`"podDefaultRouteNic":"net1"=net1`:                                func(c *Config) any { return c.DefaultRouteNIC },
		`"podDefaultRouteNIC":"net1"=net1`:                                func(c *Config) any { return c.DefaultRouteNIC },
		`"vethMTU":1400=1400`:                                             func(c *Config) any { return c.VethMTU },
		`"hostRuleTable":200=200`:                                         func(c *Config) any { return c.HostRuleTable },
		`"tunePodRoutes":false=false`:                                     func(c *Config) any { return c.TunePodRoutes },
		`"podRPFilter":-2=-2`:                                             func(c *Config) any { return c.PodRPFilter },
		`"hostRPFilter":0=0`:                                              func(c *Config) any { return *c.HostRPFilter },
		`"txQueueLen":2000=2000`:                                          func(c *Config) any { return c.TxQueueLen },
		`"vethLinkAddress":" 169.254.100.1 "=169.254.100.1`:               func(c *Config) any { return c.VethLinkAddress },
		`"vethLinkAddress":"fe80::1"=fe80::1`:                             func(c *Config) any { return c.VethLinkAddress },
		`"podMACPrefix":"0a-1b"=[10 27]`:                                  func(c *Config) any { return c.MACPrefix },
		`"podMACPrefix":"0A:1B"=[10 27]`:                                  func(c *Config) any { return c.MACPrefix },
		`"announce":false=false`:                                          func(c *Config) any { return c.Announce },
		`"mode":"auto"=true`:                                              func(c *Config) any { return c.Announce },
		`"podDefaultCniNic":"ens3"=ens3`:                                  func(c *Config) any { return c.First },
		`"hijackCIDR":["1.2.3.4"," 1.2.3.9/24 "]=[1.2.3.4/32 1.2.3.0/24]`: func(c *Config) any { return c.CIDRs },
		`"overlayPodCIDR":["10.0.0.0/8"],"hijackCIDR":["fd00::/8"],"serviceCIDR":["11.0.0.0/8"]=[10.0.0.0/8 11.0.0.0/8 fd00::/8]`: func(c *Config) any { return c.CIDRs },
		`"policyRoutes":[{"dst":"10.9.9.9/8","gw":" 10.6.0.1 "}]=[{10.0.0.0/8 10.6.0.1}]`:                                         func(c *Config) any { return c.PolicyRoutes },
		`"args":{"cni":{"podDefaultRouteNIC":"net2"}},"podDefaultRouteNIC":"net1"=net2`:                                           func(c *Config) any { return c.DefaultRouteNIC },
	} {
		keys, want, _ := strings.Cut(keys, "=")
		t.Run(keys, func(t *testing.T) {
			if got := fmt.Sprint(read(parse(t, keys))); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestErrorsNameTheKeyAndTheValue(t *testing.T) {
	for keys, want := range map[string]string{
		`"mode":"sideways"`:                                             "unknown tuneMode: sideways",
		`"vethMTU":0`:                                                   "vethMTU must be greater than 0",
		`"vethMTU":70000`:                                               "70000",
		`"hostRuleTable":0`:                                             "hostRuleTable 0",
		`"hostRuleTable":255`:                                           "hostRuleTable 255",
		`"txQueueLen":-1`:                                               "txQueueLen -1",
		`"podRPFilter":3`:                                               "invalid rp_filter value 3 in podRPFilter, available options: [-1,0,1,2]",
		`"hostRPFilter":4`:                                              "invalid rp_filter value 4 in hostRPFilter",
		`"overlayPodCIDR":["10.0.0.0/33"]`:                              `overlayPodCIDR: invalid CIDR address: "10.0.0.0/33"`,
		`"serviceCIDR":["fe80::1%eth0"]`:                                "serviceCIDR: invalid CIDR address",
		`"hijackCIDR":[""]`:                                             "hijackCIDR: invalid CIDR address",
		`"vethLinkAddress":"abc"`:                                       `vethLinkAddress "abc"`,
		`"vethLinkAddress":"1.2.3.4/32"`:                                "without a prefix length",
		`"vethLinkAddress":"0.0.0.0"`:                                   "vethLinkAddress",
		`"podMACPrefix":"01:10"`:                                        "lowest bit of the first byte",
		`"podMACPrefix":"zz:11"`:                                        "is not hexadecimal",
		`"podMACPrefix":"0a1b"`:                                         "is no MAC prefix",
		`"podMACPrefix":"0a.1b"`:                                        "is no MAC prefix",
		`"policyRoutes":[{"dst":"x","gw":"1.1.1.1"}]`:                   `invalid route dst "x"`,
		`"policyRoutes":[{"dst":"10.0.0.0/8","gw":"x"}]`:                `invalid route gw "x"`,
		`"policyRoutes":[{"dst":"10.0.0.0/8","gw":"fd00::1"}]`:          "must use the same IP family",
		`"vethMTU":"1500"`:                                              `network "net": vethMTU is a string, it must be a whole number`,
		`"hostRuleTable":4294967550`:                                    "hostRuleTable 4294967550",
		`"txQueueLen":4294967296`:                                       "txQueueLen 4294967296",
		`"serviceCIDR":["::ffff:10.96.0.1"]`:                            `serviceCIDR: invalid CIDR address: "::ffff:10.96.0.1"`,
		`"hijackCIDR":["::ffff:10.96.0.0/108"]`:                         `hijackCIDR: invalid CIDR address: "::ffff:10.96.0.0/108"`,
		`"vethLinkAddress":"::ffff:169.254.100.1"`:                      "vethLinkAddress",
		`"vethLinkAddress":"127.0.0.2"`:                                 `vethLinkAddress "127.0.0.2"`,
		`"vethLinkAddress":"::1"`:                                       `vethLinkAddress "::1"`,
		`"vethLinkAddress":"255.255.255.255"`:                           `vethLinkAddress "255.255.255.255"`,
		`"vethLinkAddress":"0.1.2.3"`:                                   `vethLinkAddress "0.1.2.3"`,
		`"vethLinkAddress":"ff02::1"`:                                   `vethLinkAddress "ff02::1"`,
		`"policyRoutes":[{"dst":"::ffff:10.0.0.0/104","gw":"fd00::1"}]`: `invalid route dst "::ffff:10.0.0.0/104"`,
		`"policyRoutes":[{"dst":"fd01::/64","gw":"::ffff:10.6.0.1"}]`:   `invalid route gw "::ffff:10.6.0.1"`,
		`"policyRoutes":[{"dst":"10.0.0.0/8","gw":"0.0.0.0"}]`:          `invalid route gw "0.0.0.0"`,
		`"policyRoutes":[{"dst":"10.0.0.0/8","gw":"127.0.0.1"}]`:        `invalid route gw "127.0.0.1"`,
		`"policyRoutes":{"dst":"10.0.0.0/8"}`:                           "policyRoutes is an object, it must be a list",
		`"prevResult":{"cniVersion":"1.0.0","ips":[null]}`:              `network "net": prevResult: ips[0] is null`,
	} {
		t.Run(keys, func(t *testing.T) {
			if _, err := Parse(conf(complete+keys), noDefaults); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q in it", err, want)
			}
		})
	}
}

func defaultsFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "defaults.json")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaultsFileFillsInForAHandWrittenSection(t *testing.T) {
	path := defaultsFile(t, `{"mode":"underlay","overlayPodCIDR":["10.0.0.0/8"],"serviceCIDR":["11.0.0.0/8"],
		"hijackCIDR":["12.0.0.0/8"],"vethLinkAddress":"169.254.100.1","tunePodRoutes":false,"hostRuleTable":200}`)
	first, eleven := netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("11.0.0.0/8")
	cases := []struct {
		name, keys string
		ok         func(*Config) bool
	}{
		{"bare section takes all", `"type":"coordinator"`, func(c *Config) bool {
			return c.Mode == ModeUnderlay && len(c.CIDRs) == 3 && c.CIDRs[0] == first && c.CIDRs[1] == eleven &&
				c.VethLinkAddress.IsValid() && !c.TunePodRoutes && c.HostRuleTable == 200
		}},
		{"a key that is set wins", `"hostRuleTable":300`, func(c *Config) bool { return c.HostRuleTable == 300 && len(c.CIDRs) == 3 }},
		{"an empty value is set", `"vethLinkAddress":""`, func(c *Config) bool { return !c.VethLinkAddress.IsValid() }},
		{"a list is replaced, not joined", `"hijackCIDR":["13.0.0.0/8"]`, func(c *Config) bool {
			return len(c.CIDRs) == 3 && c.CIDRs[2] == netip.MustParsePrefix("13.0.0.0/8")
		}},
		{"a section with the cluster's CIDRs is complete", `"serviceCIDR":["14.0.0.0/8"]`, func(c *Config) bool {
			return len(c.CIDRs) == 1 && c.TunePodRoutes && c.HostRuleTable == 500
		}},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			cfg, err := Parse(conf(test.keys), path)
			if err != nil {
				t.Fatal(err)
			}
			if !test.ok(cfg) {
				t.Errorf("got %+v", cfg)
			}
		})
	}
}

func TestMissingOrBrokenDefaultsFile(t *testing.T) {
	for _, keys := range []string{`"type":"coordinator"`, `"mode":"auto"`, `"mode":"underlay","vethLinkAddress":"169.254.100.1"`, `"tunePodRoutes":true`} {
		if _, err := Parse(conf(keys), noDefaults); err == nil || !strings.Contains(err.Error(), noDefaults) {
			t.Errorf("%s without defaults is told with the file's name, got %v", keys, err)
		}
	}
	for _, keys := range []string{`"hijackCIDR":["10.96.0.0/12"]`, `"serviceCIDR":[]`, `"overlayPodCIDR":["10.0.0.0/8"]`, `"mode":"disabled"`} {
		if _, err := Parse(conf(keys), noDefaults); err != nil {
			t.Errorf("%s needs no defaults, got %v", keys, err)
		}
	}
	if _, err := Parse(conf(`"mode":"auto"`), defaultsFile(t, "{")); err == nil {
		t.Error("a broken file is told")
	}
}

func TestLenientParsingNeverFails(t *testing.T) {
	for _, keys := range []string{`"mode":"x","hostRuleTable":-4`, `"vethMTU":"many"`, `"prevResult":{"cniVersion":"9"}`} {
		if cfg := ParseLenient(conf(keys), noDefaults); cfg.HostRuleTable != 500 || cfg.First != "eth0" {
			t.Errorf("%s: got %+v", keys, cfg)
		}
	}
}

// A value of another type must not hide what a DEL needs.
func TestLenientParsingReadsWhatIsBesideAValueOfAnotherType(t *testing.T) {
	const prev = `"prevResult":{"cniVersion":"1.0.0","ips":[{"address":"10.6.1.2/16"}]},"cni.dev/valid-attachments":[]`
	for _, wrong := range []string{`"vethMTU":"many"`, `"serviceCIDR":"10.96.0.0/12"`, `"args":[]`, `"policyRoutes":[7]`, `"announce":"yes"`} {
		cfg := ParseLenient(conf(wrong+`,"podDefaultCniNic":"ens3",`+prev), noDefaults)
		if cfg.Network != "net" || cfg.First != "ens3" || cfg.Prev == nil || len(cfg.Prev.IPs) != 1 || cfg.ValidAttachments == nil {
			t.Errorf("%s: got %+v", wrong, cfg)
		}
	}
	if cfg := ParseLenient(conf(`"prevResult":{"cniVersion":"1.0.0","ips":[null]}`), noDefaults); cfg.Prev != nil || cfg.Network != "net" {
		t.Errorf("a prevResult that is none: got %+v", cfg)
	}
}

func TestValidAttachmentsAtGC(t *testing.T) {
	for keys, want := range map[string]string{
		`"type":"coordinator"`:                                              "nothing said",
		`"cni.dev/valid-attachments":null`:                                  "0",
		`"cni.dev/valid-attachments":[]`:                                    "0",
		`"cni.dev/valid-attachments":[{"containerID":"a","ifname":"eth0"}]`: "1",
	} {
		got := "nothing said"
		if cfg := ParseLenient(conf(keys), noDefaults); cfg.ValidAttachments != nil {
			got = fmt.Sprint(len(cfg.ValidAttachments))
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", keys, got, want)
		}
	}
}

func TestNotReadyReason(t *testing.T) {
	path := defaultsFile(t, `{"notReadyReason":"no CIDR"}`)
	if got := NotReadyReason(conf(`"type":"coordinator"`), path); got != "no CIDR" {
		t.Errorf("the defaults file's reason counts for a bare section, got %q", got)
	}
	if got := NotReadyReason(conf(`"mode":"disabled"`), path); got != "" {
		t.Errorf("a disabled coordinator has nothing to wait for, got %q", got)
	}
	if got := NotReadyReason(conf(`"serviceCIDR":[]`), path); got != "" {
		t.Errorf("and not for a complete one, got %q", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"name":"n","podMACPrefix":"0a:1b","policyRoutes":[{"dst":"::/0","gw":"::1"}],"hijackCIDR":["::ffff:1.2.3.4/100"]}`))
	f.Fuzz(func(t *testing.T, stdin []byte) {
		cfg, err := Parse(stdin, noDefaults)
		if (cfg == nil) == (err == nil) {
			t.Errorf("either a configuration or an error: %v %v", cfg, err)
		}
	})
}
