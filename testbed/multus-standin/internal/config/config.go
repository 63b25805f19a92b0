// Package config reads the stand-in's own CNI configuration. Its keys are those of Multus, so that
// one file in /etc/cni/net.d serves both.
package config

import (
	"encoding/json"
	"fmt"
)

// Defaults of the optional keys, the same as Multus has.
const (
	defaultConfDir   = "/etc/cni/multus/net.d"
	defaultCNIDir    = "/var/lib/cni/multus"
	defaultNamespace = "kube-system"
)

// Config is what the container runtime hands in on stdin.
type Config struct {
	CNIVersion string `json:"cniVersion"`
	Name       string `json:"name"`
	// Kubeconfig is the file that leads to the API server.
	Kubeconfig string `json:"kubeconfig"`
	// ClusterNetwork names the cluster network: an absolute path of a CNI configuration file or
	// the name of one in ConfDir. Delegates, whose first element is a CNI configuration, is the
	// other way to say it.
	ClusterNetwork string            `json:"clusterNetwork"`
	Delegates      []json.RawMessage `json:"delegates"`
	// ConfDir holds the files that serve NetworkAttachmentDefinitions without a config.
	ConfDir string `json:"confDir"`
	// BinDir is searched for plugins before CNI_PATH.
	BinDir string `json:"binDir"`
	// CNIDir keeps one record for each sandbox, from which DEL works.
	CNIDir string `json:"cniDir"`
	// MultusNamespace is where a default-network without a namespace is looked up.
	MultusNamespace string `json:"multusNamespace"`
	// RuntimeConfig holds the runtime's capability arguments, for the pod's first interface.
	RuntimeConfig map[string]any `json:"runtimeConfig"`
}

// Parse returns the configuration with its defaults filled in.
func Parse(raw []byte) (*Config, error) {
	conf := &Config{
		ConfDir:         defaultConfDir,
		CNIDir:          defaultCNIDir,
		MultusNamespace: defaultNamespace,
	}
	if err := json.Unmarshal(raw, conf); err != nil {
		return nil, fmt.Errorf("multus-standin: its own configuration is not valid JSON: %w", err)
	}
	if conf.ClusterNetwork == "" && len(conf.Delegates) == 0 {
		return nil, fmt.Errorf("multus-standin: configuration %q names no cluster network: set clusterNetwork or delegates", conf.Name)
	}
	if conf.Kubeconfig == "" {
		return nil, fmt.Errorf("multus-standin: configuration %q has no kubeconfig: set it to the file that leads to the API server", conf.Name)
	}
	return conf, nil
}
