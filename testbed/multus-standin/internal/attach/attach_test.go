package attach

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"spidercoordinator/testbed/multus-standin/internal/status"
)

const noteList = `{"cniVersion":"1.0.0","plugins":[{"type":"note","capabilities":{"mac":true}}]}`

func TestPodWithoutAnnotationsGetsTheClusterNetwork(t *testing.T) {
	b := newBed(t)
	_, err := b.sandbox().Add(context.Background())
	b.must(err)
	b.must(b.sandbox().Check(context.Background()))
	b.server.Close()
	b.must(b.sandbox().Del(context.Background()))
	b.must(b.sandbox().Del(context.Background()))
	b.expectJournal("ADD cluster eth0", "CHECK cluster eth0", "DEL cluster eth0")
	want := map[string]any{"portMappings": []any{map[string]any{"hostPort": 80.0}}}
	if got := b.configOf("cluster")["runtimeConfig"]; !reflect.DeepEqual(got, want) {
		t.Errorf("runtimeConfig %v, want %v", got, want)
	}
}

func TestDefaultNetworkReplacesTheClusterNetwork(t *testing.T) {
	for _, value := range []string{"macvlan-conf", "kube-system/macvlan-conf", `[{"name":"macvlan-conf"}]`} {
		t.Run(value, func(t *testing.T) {
			b := newBed(t)
			b.annotations["v1.multus-cni.io/default-network"] = value
			b.networks["kube-system/macvlan-conf"] = noteList
			_, err := b.sandbox().Add(context.Background())
			b.must(err)
			b.expectJournal("ADD macvlan-conf eth0")
		})
	}
}

func TestNetworksAreAttachedInOrderAndDetachedInReverse(t *testing.T) {
	b := newBed(t)
	b.annotations["k8s.v1.cni.cncf.io/networks"] = "blue,net/red@r0,apps/green"
	b.networks["apps/blue"], b.networks["net/red"], b.networks["apps/green"] = noteList, noteList, noteList
	_, err := b.sandbox().Add(context.Background())
	b.must(err)
	b.must(b.sandbox().Del(context.Background()))
	b.expectJournal(
		"ADD cluster eth0", "ADD blue net1", "ADD red r0", "ADD green net3",
		"DEL green net3", "DEL red r0", "DEL blue net1", "DEL cluster eth0",
	)
}

func TestSelectionReachesThePlugin(t *testing.T) {
	b := newBed(t)
	b.annotations["k8s.v1.cni.cncf.io/networks"] = `[{"name":"blue","mac":"02:00:00:00:00:07","ips":["10.1.1.9/24"],"cni-args":{"color":"blue"}}]`
	b.networks["apps/blue"] = noteList
	_, err := b.sandbox().Add(context.Background())
	b.must(err)
	conf := b.configOf("blue")
	if got, want := conf["args"], (map[string]any{"cni": map[string]any{"color": "blue"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("args %v, want %v", got, want)
	}
	if got, want := conf["runtimeConfig"], (map[string]any{"mac": "02:00:00:00:00:07"}); !reflect.DeepEqual(got, want) {
		t.Errorf("runtimeConfig %v, want %v: only what the plugin is capable of", got, want)
	}
}

func TestStatusIsPublished(t *testing.T) {
	b := newBed(t)
	b.annotations["k8s.v1.cni.cncf.io/networks"] = "blue"
	b.networks["apps/blue"] = noteList
	_, err := b.sandbox().Add(context.Background())
	b.must(err)
	got := b.statuses()
	one := status.Status{IPs: []string{"10.1.1.7"}, MAC: "02:00:00:00:00:01", Gateway: []string{"10.1.1.1"}}
	first, second := one, one
	first.Name, first.Interface, first.Default = "cluster", "eth0", true
	second.Name, second.Interface = "apps/blue", "net1"
	if want := []status.Status{first, second}; !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestANetworkWithoutAnInterfaceIsNotInTheStatus(t *testing.T) {
	b := newBed(t)
	b.annotations["k8s.v1.cni.cncf.io/networks"] = "rules,blue"
	b.networks["apps/rules"], b.networks["apps/blue"] = `{"cniVersion":"1.0.0","type":"silent"}`, noteList
	_, err := b.sandbox().Add(context.Background())
	b.must(err)
	var names []string
	for _, each := range b.statuses() {
		names = append(names, each.Name+" "+each.Interface)
	}
	// It keeps its number all the same.
	if want := []string{"cluster eth0", "apps/blue net2"}; !reflect.DeepEqual(names, want) {
		t.Errorf("status of %v, want %v", names, want)
	}
}

func TestEmptyConfigMeansAFileOfThatName(t *testing.T) {
	b := newBed(t)
	b.annotations["k8s.v1.cni.cncf.io/networks"] = "blue"
	b.networks["apps/blue"] = ""
	b.write("conf.d/10-blue.conf", `{"cniVersion":"1.0.0","name":"blue","type":"note"}`, 0o600)
	_, err := b.sandbox().Add(context.Background())
	b.must(err)
	b.expectJournal("ADD cluster eth0", "ADD blue net1")
}

func TestFailedAddLeavesNothingAttached(t *testing.T) {
	b := newBed(t)
	b.annotations["k8s.v1.cni.cncf.io/networks"] = "blue,red"
	b.networks["apps/blue"], b.networks["apps/red"] = noteList, noteList
	b.write("fail-ADD-blue", "", 0o600)
	_, err := b.sandbox().Add(context.Background())
	b.expectError(err, "pod apps/web", "network apps/blue", "interface net1", "plugins note", "told to fail")
	b.expectJournal(
		"ADD cluster eth0", "ADD blue net1",
		// blue may have done half of its work; red was never asked, and its DEL finds nothing.
		"DEL red net2", "DEL blue net1", "DEL cluster eth0",
	)
	b.must(b.sandbox().Del(context.Background()))
	if n := len(b.journal()); n != 5 {
		t.Errorf("a DEL after the roll-back called plugins again: %v", b.journal()[5:])
	}
}

func TestUnwritableStatusIsRolledBack(t *testing.T) {
	b := newBed(t)
	b.refuse = true
	_, err := b.sandbox().Add(context.Background())
	b.expectError(err, "pod apps/web", "network status cannot be written", "there is no")
	b.expectJournal("ADD cluster eth0", "DEL cluster eth0")
}

func TestDelGoesOnAndKeepsWhatIsLeft(t *testing.T) {
	b := newBed(t)
	b.annotations["k8s.v1.cni.cncf.io/networks"] = "blue"
	b.networks["apps/blue"] = noteList
	_, err := b.sandbox().Add(context.Background())
	b.must(err)
	b.write("fail-DEL-blue", "", 0o600)
	b.expectError(b.sandbox().Del(context.Background()), "apps/web", "network apps/blue", "told to fail")
	b.must(os.Remove(filepath.Join(b.dir, "fail-DEL-blue")))
	b.must(b.sandbox().Del(context.Background()))
	b.expectJournal("ADD cluster eth0", "ADD blue net1", "DEL blue net1", "DEL cluster eth0", "DEL blue net1")
}

func TestAddRefusesBeforeAnythingIsAttached(t *testing.T) {
	cases := map[string]struct {
		annotations map[string]string
		message     string
	}{
		"a missing definition": {map[string]string{"k8s.v1.cni.cncf.io/networks": "nowhere"}, "network apps/nowhere: its NetworkAttachmentDefinition cannot be read"},
		"a taken interface":    {map[string]string{"k8s.v1.cni.cncf.io/networks": "blue@eth0"}, "networks cluster and apps/blue both ask for interface eth0"},
		"two default networks": {map[string]string{"v1.multus-cni.io/default-network": "blue,red"}, "names 2 networks"},
		"a broken definition":  {map[string]string{"k8s.v1.cni.cncf.io/networks": "broken"}, "network apps/broken: its configuration is not a valid JSON object"},
		"no file for it":       {map[string]string{"k8s.v1.cni.cncf.io/networks": "empty"}, "network apps/empty: its spec.config is empty and no file serves it"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			b.annotations = c.annotations
			b.networks["apps/blue"], b.networks["apps/broken"], b.networks["apps/empty"] = noteList, "{", ""
			_, err := b.sandbox().Add(context.Background())
			b.expectError(err, "pod apps/web", c.message)
			b.expectJournal()
		})
	}
}

func TestAddRefusesThePodOfAnotherSandbox(t *testing.T) {
	b := newBed(t)
	s := b.sandbox()
	s.pod.uid = "u-0"
	_, err := s.Add(context.Background())
	b.expectError(err, "pod apps/web", "UID u-0", "UID u-1")
	b.expectJournal()
}
