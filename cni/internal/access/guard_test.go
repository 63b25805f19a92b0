package access

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// apiServer stands for the API server where it answers as a real one would not be brought to.
type apiServer struct {
	asked  atomic.Int64
	answer func(kind string, spec map[string]any) (int, string)
}

func (a *apiServer) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	a.asked.Add(1)
	var review struct {
		Kind string         `json:"kind"`
		Spec map[string]any `json:"spec"`
	}
	if err := json.NewDecoder(request.Body).Decode(&review); err != nil || request.Header.Get("Authorization") != "Bearer own" {
		response.WriteHeader(http.StatusTeapot)
		return
	}
	status, text := a.answer(review.Kind, review.Spec)
	response.WriteHeader(status)
	_, _ = io.WriteString(response, text)
}

// knows is an API server at which the tokens "reader" and "stranger" are known, and the first may read.
func knows(kind string, spec map[string]any) (int, string) {
	switch kind {
	case "TokenReview":
		token, _ := spec["token"].(string)
		known := token == "reader" || token == "stranger"
		return http.StatusCreated, fmt.Sprintf(`{"status": {"authenticated": %v, "user": {"username": %q}}}`, known, token)
	case "SubjectAccessReview":
		what, _ := json.Marshal(spec["nonResourceAttributes"])
		allowed := spec["user"] == "reader" && string(what) == `{"path":"/metrics","verb":"get"}`
		return http.StatusCreated, fmt.Sprintf(`{"status": {"allowed": %v}}`, allowed)
	}
	return http.StatusNotFound, ""
}

func guarding(t *testing.T, api *apiServer) *Guard {
	t.Helper()
	server := httptest.NewTLSServer(api)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for name, content := range map[string][]byte{"token": []byte("own\n"), "ca.crt": authority} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(address.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", host)
	t.Setenv("KUBERNETES_SERVICE_PORT", port)
	reviewer, err := NewReviewer(dir)
	if err != nil {
		t.Fatal(err)
	}
	return NewGuard(reviewer, "/metrics", http.HandlerFunc(func(response http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(response, "metrics")
	}))
}

func get(guard *Guard, method, path, authorization string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, nil)
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response := httptest.NewRecorder()
	guard.ServeHTTP(response, request)
	return response
}

func TestWhoGetsIn(t *testing.T) {
	for _, row := range []struct {
		method, path, authorization string
		status                      int
		asked                       int64
	}{
		{"GET", "/metrics", "Bearer reader", 200, 2},
		{"GET", "/metrics", "bearer  reader", 200, 2},
		{"GET", "/metrics", "", 401, 0},
		{"GET", "/metrics", "reader", 401, 0},
		{"GET", "/metrics", "Bearer", 401, 0},
		{"GET", "/metrics", "Bearer ", 401, 0},
		{"GET", "/metrics", "Basic reader", 401, 0},
		{"GET", "/metrics", "Bearer nobody", 401, 1},
		{"GET", "/metrics", "Bearer stranger", 403, 2},
		{"GET", "/", "Bearer reader", 404, 0},
		{"GET", "/metrics/", "Bearer reader", 404, 0},
		{"GET", "/debug/pprof/", "Bearer reader", 404, 0},
		{"POST", "/metrics", "Bearer reader", 405, 0},
		{"HEAD", "/metrics", "Bearer reader", 405, 0},
	} {
		api := &apiServer{answer: knows}
		response := get(guarding(t, api), row.method, row.path, row.authorization)
		if response.Code != row.status || api.asked.Load() != row.asked {
			t.Errorf("%s %s with %q: status %d after %d reviews, want %d after %d", row.method, row.path, row.authorization,
				response.Code, api.asked.Load(), row.status, row.asked)
		}
		if passed := response.Body.String() == "metrics"; passed != (row.status == 200) {
			t.Errorf("%s %s with %q: passed is %v", row.method, row.path, row.authorization, passed)
		}
	}
}

func TestAnAPIServerThatDoesNotDecideLetsNobodyIn(t *testing.T) {
	for name, answer := range map[string]func(string, map[string]any) (int, string){
		"refuses the TokenReview": func(string, map[string]any) (int, string) {
			return http.StatusForbidden, `{"message": "cannot create"}`
		},
		"no JSON": func(string, map[string]any) (int, string) { return http.StatusCreated, "<html>" },
		"empty":   func(string, map[string]any) (int, string) { return http.StatusCreated, "" },
		"another code": func(string, map[string]any) (int, string) {
			return http.StatusOK, `{"status": {"authenticated": true}}`
		},
		"too much said": func(string, map[string]any) (int, string) {
			return http.StatusCreated, strings.Repeat(" ", 2*largestAnswer)
		},
		"refuses the SubjectAccessReview": func(kind string, spec map[string]any) (int, string) {
			if kind == "TokenReview" {
				return knows(kind, spec)
			}
			return http.StatusInternalServerError, ""
		},
	} {
		guard := guarding(t, &apiServer{answer: answer})
		for range 2 { // and it is not remembered
			if response := get(guard, "GET", "/metrics", "Bearer reader"); response.Code != http.StatusServiceUnavailable {
				t.Errorf("%s: status %d, want 503", name, response.Code)
			}
		}
	}
}

func TestADenialBeatsAPermission(t *testing.T) {
	guard := guarding(t, &apiServer{answer: func(kind string, spec map[string]any) (int, string) {
		if kind == "TokenReview" {
			return knows(kind, spec)
		}
		return http.StatusCreated, `{"status": {"allowed": true, "denied": true}}`
	}})
	if response := get(guard, "GET", "/metrics", "Bearer reader"); response.Code != http.StatusForbidden {
		t.Errorf("status %d, want 403", response.Code)
	}
}

func TestAnAnswerIsRememberedForItsTime(t *testing.T) {
	api := &apiServer{answer: knows}
	guard := guarding(t, api)
	for token, holds := range map[string]time.Duration{"reader": allowedFor, "stranger": refusedFor, "nobody": refusedFor} {
		first := get(guard, "GET", "/metrics", "Bearer "+token).Code
		asked := api.asked.Load()
		if again := get(guard, "GET", "/metrics", "Bearer "+token).Code; again != first || api.asked.Load() != asked {
			t.Errorf("%s: status %d then %d, %d reviews more", token, first, again, api.asked.Load()-asked)
		}
		for key, kept := range guard.verdicts { // as if the time had passed
			kept.until = kept.until.Add(-holds)
			guard.verdicts[key] = kept
		}
		if get(guard, "GET", "/metrics", "Bearer "+token); api.asked.Load() == asked {
			t.Errorf("%s: nobody was asked again", token)
		}
	}
}

func TestUnknownCallersDoNotFloodTheAPIServer(t *testing.T) {
	api := &apiServer{answer: knows}
	guard := guarding(t, api)
	guard.limiter.SetLimit(0) // no time passes
	if code := get(guard, "GET", "/metrics", "Bearer reader").Code; code != http.StatusOK {
		t.Fatalf("status %d, want 200", code)
	}
	refused := 0
	for number := range 10 * remembered {
		if get(guard, "GET", "/metrics", fmt.Sprintf("Bearer nobody-%d", number)).Code == http.StatusTooManyRequests {
			refused++
		}
	}
	if asked := api.asked.Load(); asked > 2+reviewsAtOnce || refused == 0 {
		t.Errorf("%d reviews, %d refused", asked, refused)
	}
	if code := get(guard, "GET", "/metrics", "Bearer reader").Code; code != http.StatusOK {
		t.Errorf("who is known gets status %d meanwhile", code)
	}
	if len(guard.verdicts) > remembered {
		t.Errorf("%d answers are kept", len(guard.verdicts))
	}
}

func TestMemoryIsBounded(t *testing.T) {
	api := &apiServer{answer: knows}
	guard := guarding(t, api)
	guard.limiter.SetBurst(10 * remembered)
	guard.limiter.SetLimit(1e9)
	for number := range remembered + 20 {
		get(guard, "GET", "/metrics", fmt.Sprintf("Bearer nobody-%d", number))
	}
	if len(guard.verdicts) > remembered {
		t.Errorf("%d answers are kept", len(guard.verdicts))
	}
}

func TestItSaysWhatItLacksToAsk(t *testing.T) {
	dir := t.TempDir()
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"no address", func() { t.Setenv("KUBERNETES_SERVICE_HOST", "") }, "KUBERNETES_SERVICE_HOST"},
		{"no authority", func() {
			t.Setenv("KUBERNETES_SERVICE_HOST", "::1")
			t.Setenv("KUBERNETES_SERVICE_PORT", "443")
		}, "ca.crt: no such file"},
		{"no certificate", func() { _ = os.WriteFile(filepath.Join(dir, "ca.crt"), []byte("x"), 0o600) }, "ca.crt has no certificate"},
	} {
		step.do()
		if _, err := NewReviewer(dir); err == nil || !strings.Contains(err.Error(), step.want) {
			t.Errorf("%s: %v, want %q", step.name, err, step.want)
		}
	}
}

func TestTheOwnCertificateIsOneOfAServer(t *testing.T) {
	certificates, err := SelfSigned("name")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := certificates(nil)
	if err != nil || pair.Leaf != nil && pair.Leaf.NotAfter.Before(time.Now()) || len(pair.Certificate) != 1 {
		t.Errorf("%v, %v", pair, err)
	}
	if _, err := FromDir(t.TempDir()); err == nil {
		t.Error("a folder without a certificate is taken")
	}
}
