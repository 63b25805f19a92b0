package attach

import (
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

// silent is a CNI plugin that makes no interface, as one that only sets rules: its result is empty.
const silent = `#!/bin/sh
echo '{"cniVersion":"1.0.0"}'
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
	b.write("bin/silent", silent, 0o755)
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

// statuses reads the annotation that was written last.
func (b *bed) statuses() []status.Status {
	b.t.Helper()
	var patch struct {
		Metadata struct {
			Annotations map[string]string `json:"annotations"`
		} `json:"metadata"`
	}
	b.must(json.Unmarshal([]byte(b.published), &patch))
	var found []status.Status
	b.must(json.Unmarshal([]byte(patch.Metadata.Annotations[status.Annotation]), &found))
	return found
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
