package kube

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const named = `
current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: %q, certificate-authority: ca.crt}}]
users: [{name: u, user: {tokenFile: token}}]
`

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFilesBesideTheKubeconfigAreUsed(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			http.Error(w, `{"message":"who are you"}`, http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"metadata":{"uid":"u-1"}}`)
	}))
	defer server.Close()
	dir := t.TempDir()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	write(t, filepath.Join(dir, "ca.crt"), string(authority))
	write(t, filepath.Join(dir, "token"), "secret\n")
	path := write(t, filepath.Join(dir, "kubeconfig"), fmt.Sprintf(named, server.URL))

	client, err := NewClient(path)
	if err != nil {
		t.Fatal(err)
	}
	pod, err := client.Pod(t.Context(), "apps", "web")
	if err != nil {
		t.Fatal(err)
	}
	if pod.Metadata.UID != "u-1" {
		t.Errorf("UID %q", pod.Metadata.UID)
	}

	write(t, filepath.Join(dir, "token"), "guess")
	client, err = NewClient(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Pod(t.Context(), "apps", "web")
	if err == nil || !strings.Contains(err.Error(), "GET /api/v1/namespaces/apps/pods/web: 401 Unauthorized: who are you") {
		t.Errorf("error %v", err)
	}
}

func TestUnusableKubeconfigs(t *testing.T) {
	cases := map[string]struct{ content, message string }{
		"no YAML":         {"{", "not valid YAML"},
		"no context":      {"current-context: gone\n", `current-context "gone" is not in the file`},
		"no cluster":      {"current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n", `cluster "k", which is not in the file`},
		"a missing file":  {fmt.Sprintf(named, "https://127.0.0.1:1"), "ca.crt"},
		"no certificates": {strings.Replace(fmt.Sprintf(named, "x"), "certificate-authority: ca.crt", "certificate-authority-data: YWJj", 1), "no PEM certificate"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "token"), "secret")
			path := write(t, filepath.Join(dir, "kubeconfig"), c.content)
			_, err := NewClient(path)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, part := range []string{path, c.message} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not contain %q", err, part)
				}
			}
		})
	}
}
