package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const requestTimeout = 10 * time.Second

// Pod is the part of a pod that the stand-in reads.
type Pod struct {
	Metadata struct {
		Name        string            `json:"name"`
		Namespace   string            `json:"namespace"`
		UID         string            `json:"uid"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
}

// Client talks with one API server.
type Client struct {
	http   *http.Client
	server string
	token  string
}

// NewClient reads a kubeconfig file. It makes no request.
func NewClient(kubeconfigPath string) (*Client, error) {
	c, u, err := load(kubeconfigPath)
	if err != nil {
		return nil, err
	}
	conf, err := tlsConfig(c, u)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig %s: %w", kubeconfigPath, err)
	}
	return &Client{
		http:   &http.Client{Timeout: requestTimeout, Transport: &http.Transport{TLSClientConfig: conf}},
		server: strings.TrimSuffix(c.Server, "/"),
		token:  u.Token,
	}, nil
}

// Pod reads a pod.
func (c *Client) Pod(ctx context.Context, namespace, name string) (*Pod, error) {
	var pod Pod
	if err := c.do(ctx, http.MethodGet, podPath(namespace, name), nil, &pod); err != nil {
		return nil, err
	}
	return &pod, nil
}

// NetworkConfig reads spec.config of a NetworkAttachmentDefinition.
func (c *Client) NetworkConfig(ctx context.Context, namespace, name string) (string, error) {
	var nad struct {
		Spec struct {
			Config string `json:"config"`
		} `json:"spec"`
	}
	path := fmt.Sprintf("/apis/k8s.cni.cncf.io/v1/namespaces/%s/network-attachment-definitions/%s", namespace, name)
	if err := c.do(ctx, http.MethodGet, path, nil, &nad); err != nil {
		return "", err
	}
	return nad.Spec.Config, nil
}

// Annotate sets one annotation of a pod, through the status subresource: that is the one which a
// network daemon is allowed to write.
func (c *Client) Annotate(ctx context.Context, namespace, name, key, value string) error {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"annotations": map[string]string{key: value}},
	})
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodPatch, podPath(namespace, name)+"/status", patch, &struct{}{})
}

func podPath(namespace, name string) string {
	return fmt.Sprintf("/api/v1/namespaces/%s/pods/%s", namespace, name)
}

func (c *Client) do(ctx context.Context, method, path string, body []byte, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.server+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", "application/merge-patch+json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, message(content))
	}
	return json.Unmarshal(content, into)
}

// message is the API server's own text, or the body as it came.
func message(body []byte) string {
	var status struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &status) == nil && status.Message != "" {
		return status.Message
	}
	return strings.TrimSpace(string(body))
}
