package plan

import "testing"

func TestWhichInterfacesMultusAttachesLater(t *testing.T) {
	listed := []string{"eth0", "nic7", "net2"}
	for _, test := range []struct {
		present, name string
		attachments   []string
		want          bool
	}{
		{"eth0", "net1", nil, true},
		{"net1", "net2", nil, true},
		{"net2", "net1", nil, false},
		{"net1", "nic7", nil, false},
		{"net1", "net02", nil, false},
		{"eth0", "nic7", listed, true},
		{"nic7", "net2", listed, true},
		{"net2", "nic7", listed, false},
		{"eth0", "net9", listed, false},
	} {
		req := &Request{IfName: test.present, Attachments: test.attachments}
		if got := req.attachedLater(test.name); got != test.want {
			t.Errorf("%s after %s, known %v: got %t", test.name, test.present, test.attachments, got)
		}
	}
}
