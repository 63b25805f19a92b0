package attach

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/containernetworking/cni/pkg/skel"

	"spidercoordinator/testbed/multus-standin/internal/config"
	"spidercoordinator/testbed/multus-standin/internal/status"
)

// plugin is a CNI plugin that notes each call as "COMMAND NAME IFNAME", keeps the configuration of
// its last ADD, and fails where a file fail-COMMAND-NAME lies beside the journal.
const plugin = `#!/bin/sh
conf=$(cat)
name=$(printf %s "$conf" | sed 's/"prevResult".*//; s/.*"name":"\([^"]*\)".*/\1/')
echo "$CNI_COMMAND $name $CNI_IFNAME" >>DIR/journal
if [ -e "DIR/fail-$CNI_COMMAND-$name" ]; then
  echo '{"cniVersion":"1.0.0","code":11,"msg":"told to fail"}'
  exit 1
fi
[ "$CNI_COMMAND" = ADD ] || exit 0
printf %s "$conf" >"DIR/conf-$name"
cat <<END
{"cniVersion":"1.0.0",
 "interfaces":[{"name":"host0","mac":"02:00:00:00:00:99"},{"name":"$CNI_IFNAME","mac":"02:00:00:00:00:01","sandbox":"$CNI_NETNS"},{"name":"veth0","sandbox":"$CNI_NETNS"}],
 "ips":[{"address":"10.1.1.7/24","interface":1},{"address":"169.254.100.1/32","interface":2}],
 "routes":[{"dst":"0.0.0.0/0","gw":"10.1.1.1"},{"dst":"10.9.0.0/16"}]}
END
`

type bed struct {
	t           *testing.T
	dir         string
	annotations map[string]string
	networks    map[string]string
	published   string
	refuse      bool
	server      *httptest.Server
}

func newBed(t *testing.T) *bed {
	b := &bed{t: t, dir: t.TempDir(), annotations: map[string]string{}, networks: map[string]string{}}
	b.write("bin/note", strings.ReplaceAll(plugin, "DIR", b.dir), 0o755)
	b.server = httptest.NewServer(http.HandlerFunc(b.serve))
	t.Cleanup(b.server.Close)
	b.write("kubeconfig", fmt.Sprintf(`
current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: %q}}]
users: [{name: u, user: {token: secret}}]
`, b.server.URL), 0o600)
	return b
}

func (b *bed) write(name, content string, mode os.FileMode) {
	b.t.Helper()
	path := filepath.Join(b.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bed) serve(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer secret" {
		http.Error(w, "who are you", http.StatusUnauthorized)
		return
	}
	const nads = "/apis/k8s.cni.cncf.io/v1/namespaces/"
	switch path := r.URL.Path; {
	case path == "/api/v1/namespaces/apps/pods/web" && r.Method == http.MethodGet:
		b.reply(w, map[string]any{"metadata": map[string]any{"uid": "u-1", "annotations": b.annotations}})
	case path == "/api/v1/namespaces/apps/pods/web/status" && r.Method == http.MethodPatch && !b.refuse:
		body, _ := io.ReadAll(r.Body)
		b.published = string(body)
		b.reply(w, map[string]any{})
	case strings.HasPrefix(path, nads):
		key := strings.Replace(strings.TrimPrefix(path, nads), "/network-attachment-definitions/", "/", 1)
		if conf, found := b.networks[key]; found {
			b.reply(w, map[string]any{"spec": map[string]any{"config": conf}})
			return
		}
		fallthrough
	default:
		w.WriteHeader(http.StatusNotFound)
		b.reply(w, map[string]any{"message": "there is no " + path})
	}
}

func (b *bed) reply(w io.Writer, object any) {
	if err := json.NewEncoder(w).Encode(object); err != nil {
		b.t.Error(err)
	}
}

func (b *bed) sandbox() *Sandbox {
	conf, err := config.Parse([]byte(fmt.Sprintf(`{"cniVersion":"1.0.0","name":"meta","type":"multus-standin",
		"kubeconfig":%[1]q,"confDir":%[2]q,"cniDir":%[3]q,"binDir":%[4]q,"runtimeConfig":{"portMappings":[{"hostPort":80}]},
		"delegates":[{"cniVersion":"1.0.0","name":"cluster","type":"note","capabilities":{"portMappings":true}}]}`,
		b.dir+"/kubeconfig", b.dir+"/conf.d", b.dir+"/state", b.dir+"/bin")))
	if err != nil {
		b.t.Fatal(err)
	}
	return New(conf, &skel.CmdArgs{
		ContainerID: "c1", Netns: "/run/netns/x", IfName: "eth0",
		Args: "IgnoreUnknown=1;K8S_POD_NAMESPACE=apps;K8S_POD_NAME=web;K8S_POD_UID=u-1",
	})
}

func (b *bed) journal() []string {
	raw, err := os.ReadFile(filepath.Join(b.dir, "journal"))
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(raw)), "\n")
}

func (b *bed) expectJournal(want ...string) {
	b.t.Helper()
	if got := b.journal(); !reflect.DeepEqual(got, want) {
		b.t.Errorf("calls:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func (b *bed) configOf(name string) map[string]any {
	b.t.Helper()
	raw, err := os.ReadFile(filepath.Join(b.dir, "conf-"+name))
	if err != nil {
		b.t.Fatal(err)
	}
	var conf map[string]any
	if err := json.Unmarshal(raw, &conf); err != nil {
		b.t.Fatal(err)
	}
	return conf
}

func (b *bed) expectError(err error, parts ...string) {
	b.t.Helper()
	if err == nil {
		b.t.Fatal("no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			b.t.Errorf("%q does not contain %q", err, part)
		}
	}
}

func (b *bed) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

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
	var patch struct {
		Metadata struct {
			Annotations map[string]string `json:"annotations"`
		} `json:"metadata"`
	}
	b.must(json.Unmarshal([]byte(b.published), &patch))
	var got []status.Status
	b.must(json.Unmarshal([]byte(patch.Metadata.Annotations["k8s.v1.cni.cncf.io/network-status"]), &got))
	one := status.Status{IPs: []string{"10.1.1.7"}, MAC: "02:00:00:00:00:01", Gateway: []string{"10.1.1.1"}}
	first, second := one, one
	first.Name, first.Interface, first.Default = "cluster", "eth0", true
	second.Name, second.Interface = "apps/blue", "net1"
	if want := []status.Status{first, second}; !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
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
