// Package network turns what a NetworkAttachmentDefinition or a file on disk says into the list of
// plugins that libcni runs.
package network

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/containernetworking/cni/libcni"

	"spidercoordinator/testbed/multus-standin/internal/config"
)

// FromDefinition returns the plugin list of a NetworkAttachmentDefinition's config. An empty config
// means the file in confDir whose network has the definition's name; a config without a name gets
// the definition's.
func FromDefinition(raw, name, confDir string) (*libcni.NetworkConfigList, error) {
	if raw == "" {
		list, err := libcni.LoadNetworkConf(confDir, name)
		if err != nil {
			return nil, fmt.Errorf("its spec.config is empty and no file serves it: %w", err)
		}
		return list, nil
	}
	return parse([]byte(raw), name)
}

// ClusterNetwork returns the network of pods that ask for no other one.
func ClusterNetwork(conf *config.Config) (*libcni.NetworkConfigList, error) {
	switch {
	case conf.ClusterNetwork == "":
		return parse(conf.Delegates[0], conf.Name)
	case filepath.IsAbs(conf.ClusterNetwork):
		raw, err := os.ReadFile(conf.ClusterNetwork)
		if err != nil {
			return nil, err
		}
		return parse(raw, conf.Name)
	default:
		return libcni.LoadNetworkConf(conf.ConfDir, conf.ClusterNetwork)
	}
}

// WithArgs returns the list with args.cni of every plugin set to the given arguments, which is
// where the multi-network specification (section 4.1.2.1.10) puts cni-args.
func WithArgs(list *libcni.NetworkConfigList, args map[string]any) (*libcni.NetworkConfigList, error) {
	if len(args) == 0 {
		return list, nil
	}
	var conf map[string]any
	if err := json.Unmarshal(list.Bytes, &conf); err != nil {
		return nil, err
	}
	for _, plugin := range conf["plugins"].([]any) {
		object := plugin.(map[string]any)
		merged := map[string]any{}
		if present, ok := object["args"].(map[string]any); ok {
			merged = present
		}
		merged["cni"] = args
		object["args"] = merged
	}
	raw, err := json.Marshal(conf)
	if err != nil {
		return nil, err
	}
	return libcni.NetworkConfFromBytes(raw)
}

func parse(raw []byte, name string) (*libcni.NetworkConfigList, error) {
	var conf map[string]any
	if err := json.Unmarshal(raw, &conf); err != nil {
		return nil, fmt.Errorf("its configuration is not a valid JSON object: %w", err)
	}
	if text, _ := conf["name"].(string); text == "" {
		conf["name"] = name
	}
	if _, isList := conf["plugins"]; !isList {
		conf = map[string]any{"name": conf["name"], "cniVersion": conf["cniVersion"], "plugins": []any{conf}}
		if conf["cniVersion"] == nil {
			delete(conf, "cniVersion")
		}
	}
	normal, err := json.Marshal(conf)
	if err != nil {
		return nil, err
	}
	return libcni.NetworkConfFromBytes(normal)
}
