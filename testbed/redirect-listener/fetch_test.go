package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestFetch(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/silent":
			<-release
		case "/host":
			w.Write([]byte(r.Host))
		case "/refused":
			http.Error(w, "go away", http.StatusForbidden)
		default:
			w.Write([]byte("hello\n"))
		}
	}))
	defer server.Close()
	defer close(release)

	cases := map[string]struct {
		arguments []string
		status    int
		out       string
		complaint string
	}{
		"an answer":         {[]string{server.URL + "/"}, 0, "hello\n", ""},
		"another host":      {[]string{"-host=a.test", server.URL + "/host"}, 0, "a.test", ""},
		"no URL at all":     {[]string{":"}, 2, "", "missing protocol scheme"},
		"no answer":         {[]string{"-timeout=50ms", server.URL + "/silent"}, 1, "", "timed out: no answer in 50ms"},
		"an error":          {[]string{server.URL + "/refused"}, 1, "go away\n", "403 Forbidden"},
		"nobody there":      {[]string{"http://127.0.0.1:1/"}, 1, "", "connection refused"},
		"no URL":            {nil, 2, "", "usage: fetch"},
		"an unknown option": {[]string{"-x", server.URL}, 2, "", "usage: fetch"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var out, complaints strings.Builder
			status := fetch(c.arguments, &out, &complaints)
			if status != c.status || out.String() != c.out {
				t.Errorf("status %d, output %q; want %d, %q", status, out.String(), c.status, c.out)
			}
			if !strings.Contains(complaints.String(), c.complaint) || (c.complaint == "" && complaints.Len() > 0) {
				t.Errorf("complaint %q, want %q", complaints.String(), c.complaint)
			}
		})
	}
}
