// Package kube is a small client for the three requests that a sandbox needs: read its pod, read a
// NetworkAttachmentDefinition, annotate the pod. The full client library would cost more time at
// every pod start than these requests take.
package kube

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

type kubeconfig struct {
	CurrentContext string `json:"current-context"`
	Contexts       []struct {
		Name    string `json:"name"`
		Context struct {
			Cluster string `json:"cluster"`
			User    string `json:"user"`
		} `json:"context"`
	} `json:"contexts"`
	Clusters []struct {
		Name    string  `json:"name"`
		Cluster cluster `json:"cluster"`
	} `json:"clusters"`
	Users []struct {
		Name string `json:"name"`
		User user   `json:"user"`
	} `json:"users"`
}

type cluster struct {
	Server        string `json:"server"`
	CA            string `json:"certificate-authority"`
	CAData        []byte `json:"certificate-authority-data"`
	SkipVerify    bool   `json:"insecure-skip-tls-verify"`
	TLSServerName string `json:"tls-server-name"`
}

type user struct {
	Cert      string `json:"client-certificate"`
	CertData  []byte `json:"client-certificate-data"`
	Key       string `json:"client-key"`
	KeyData   []byte `json:"client-key-data"`
	Token     string `json:"token"`
	TokenFile string `json:"tokenFile"`
}

// load returns the cluster and user of the file's current context, files read into their data.
func load(path string) (cluster, user, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return cluster{}, user{}, fmt.Errorf("kubeconfig: %w", err)
	}
	var file kubeconfig
	if err := yaml.Unmarshal(raw, &file); err != nil {
		return cluster{}, user{}, fmt.Errorf("kubeconfig %s is not valid YAML: %w", path, err)
	}
	c, u, err := file.current()
	if err != nil {
		return cluster{}, user{}, fmt.Errorf("kubeconfig %s: %w", path, err)
	}
	token := []byte(u.Token)
	dir := filepath.Dir(path)
	for _, f := range []struct {
		name string
		data *[]byte
	}{{c.CA, &c.CAData}, {u.Cert, &u.CertData}, {u.Key, &u.KeyData}, {u.TokenFile, &token}} {
		if err := readInto(dir, f.name, f.data); err != nil {
			return cluster{}, user{}, fmt.Errorf("kubeconfig %s: %w", path, err)
		}
	}
	u.Token = strings.TrimSpace(string(token))
	return c, u, nil
}

func (k kubeconfig) current() (cluster, user, error) {
	for _, named := range k.Contexts {
		if named.Name != k.CurrentContext {
			continue
		}
		var u user
		for _, candidate := range k.Users {
			if candidate.Name == named.Context.User {
				u = candidate.User
			}
		}
		for _, candidate := range k.Clusters {
			if candidate.Name == named.Context.Cluster {
				return candidate.Cluster, u, nil
			}
		}
		return cluster{}, user{}, fmt.Errorf("context %q names cluster %q, which is not in the file", named.Name, named.Context.Cluster)
	}
	return cluster{}, user{}, fmt.Errorf("current-context %q is not in the file", k.CurrentContext)
}

// readInto fills data from the named file; embedded data wins over a file, as in kubectl.
func readInto(dir, name string, data *[]byte) error {
	if name == "" || len(*data) > 0 {
		return nil
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	content, err := os.ReadFile(name)
	*data = content
	return err
}

func tlsConfig(c cluster, u user) (*tls.Config, error) {
	conf := &tls.Config{InsecureSkipVerify: c.SkipVerify, ServerName: c.TLSServerName, MinVersion: tls.VersionTLS12}
	if len(c.CAData) > 0 {
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(c.CAData) {
			return nil, fmt.Errorf("certificate-authority holds no PEM certificate")
		}
	}
	if len(u.CertData) > 0 {
		pair, err := tls.X509KeyPair(u.CertData, u.KeyData)
		if err != nil {
			return nil, fmt.Errorf("client certificate: %w", err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	return conf, nil
}
