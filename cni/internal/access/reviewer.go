// Package access lets in only those whom the API server knows and allows, as kube-rbac-proxy does: by a TokenReview and a
// SubjectAccessReview. It needs the right to create these two and no other.
package access

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	reviewDeadline = 10 * time.Second
	largestAnswer  = 1 << 20
)

// Reviewer asks the API server.
type Reviewer struct {
	url       string // https://HOST:PORT
	tokenFile string // the kubelet renews it
	client    *http.Client
}

// NewReviewer makes a reviewer that has a pod's account: the folder has the files token and ca.crt, and the API server
// is where the environment of a pod says.
func NewReviewer(accountDir string) (*Reviewer, error) {
	host, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return nil, errors.New("KUBERNETES_SERVICE_HOST or KUBERNETES_SERVICE_PORT is not set: it runs in a pod, where the kubelet sets both")
	}
	authorities := x509.NewCertPool()
	file := filepath.Join(accountDir, "ca.crt")
	content, err := os.ReadFile(file)
	if err == nil && !authorities.AppendCertsFromPEM(content) {
		err = fmt.Errorf("%s has no certificate", file)
	}
	if err != nil {
		return nil, fmt.Errorf("the API server's authority: %w", err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12}}
	return &Reviewer{
		url: "https://" + net.JoinHostPort(host, port), tokenFile: filepath.Join(accountDir, "token"),
		client: &http.Client{Transport: transport, Timeout: reviewDeadline},
	}, nil
}

// user is what the API server knows of whoever has a token.
type user struct {
	Username string              `json:"username"`
	UID      string              `json:"uid"`
	Groups   []string            `json:"groups"`
	Extra    map[string][]string `json:"extra"`
}

// authenticate asks whose a token is; nil: nobody's.
func (r *Reviewer) authenticate(ctx context.Context, token string) (*user, error) {
	var answer struct {
		Status struct {
			Authenticated bool `json:"authenticated"`
			User          user `json:"user"`
		} `json:"status"`
	}
	err := r.create(ctx, "authentication.k8s.io/v1", "TokenReview", map[string]any{"token": token}, &answer)
	if err != nil || !answer.Status.Authenticated {
		return nil, err
	}
	return &answer.Status.User, nil
}

// authorize asks whether a user may do this with a path that is of no resource.
func (r *Reviewer) authorize(ctx context.Context, who *user, verb, path string) (bool, error) {
	spec := map[string]any{
		"user": who.Username, "uid": who.UID, "groups": who.Groups, "extra": who.Extra,
		"nonResourceAttributes": map[string]string{"path": path, "verb": verb},
	}
	var answer struct {
		Status struct {
			Allowed bool `json:"allowed"`
			Denied  bool `json:"denied"`
		} `json:"status"`
	}
	err := r.create(ctx, "authorization.k8s.io/v1", "SubjectAccessReview", spec, &answer)
	return err == nil && answer.Status.Allowed && !answer.Status.Denied, err
}

// create creates a review and decodes the API server's answer.
func (r *Reviewer) create(ctx context.Context, group, kind string, spec, answer any) error {
	token, err := os.ReadFile(r.tokenFile)
	if err != nil {
		return fmt.Errorf("the token of the own account: %w", err)
	}
	body, err := json.Marshal(map[string]any{"apiVersion": group, "kind": kind, "spec": spec})
	if err != nil {
		return err
	}
	url := r.url + "/apis/" + group + "/" + strings.ToLower(kind) + "s"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	response, err := r.client.Do(request)
	if err != nil {
		return fmt.Errorf("the API server does not answer the %s: %w", kind, err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(response.Body, largestAnswer))
	if err != nil {
		return fmt.Errorf("the API server's answer to the %s: %w", kind, err)
	}
	if response.StatusCode != http.StatusCreated {
		return fmt.Errorf("the API server refuses the %s with %s: %s", kind, response.Status, messageOf(content))
	}
	if err := json.Unmarshal(content, answer); err != nil {
		return fmt.Errorf("the API server's answer to the %s: %w", kind, err)
	}
	return nil
}

// messageOf is the message of a Status object.
func messageOf(content []byte) string {
	var status struct {
		Message string `json:"message"`
	}
	_ = json.Unmarshal(content, &status)
	return status.Message
}
