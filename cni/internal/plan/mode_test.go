package plan

import (
	"testing"

	"github.com/spidercoordinator/spidercoordinator/cni/internal/config"
)

func TestModeSelectsTheVethPair(t *testing.T) {
	for _, test := range []struct {
		name    string
		mode    config.Mode
		overlay bool
		ifName  string
		private bool
		refused bool
	}{
		{"auto, first interface", config.ModeAuto, false, "eth0", true, false},
		{"auto, beside a cluster network", config.ModeAuto, true, "net1", false, false},
		{"overlay, first interface", config.ModeOverlay, true, "eth0", false, true},
		{"overlay, first interface is no veth", config.ModeOverlay, false, "net1", false, true},
		{"underlay, further interface without veth0", config.ModeUnderlay, true, "net1", true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := podFixture(nic{name: "eth0", net: 6, v4: true, defaults: true}, nic{name: "net1", net: 7, v4: true})
			if test.overlay {
				clusterNetwork(f)
			}
			req := request(test.ifName)
			req.Config.Mode = test.mode
			addPlan, err := Add(f, req)
			if (err != nil) != test.refused {
				t.Fatalf("refused: %v", err)
			}
			if err == nil && addPlan.Veth.AddedByCoordinator != test.private {
				t.Errorf("got %+v", addPlan.Veth)
			}
		})
	}
}
