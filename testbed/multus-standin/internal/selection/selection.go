// Package selection parses the pod annotations that choose networks, in the two forms of the
// multi-network specification (section 4.1): a comma list and a JSON list. It does no I/O.
package selection

import (
	"encoding/json"
	"fmt"
	"net"
	"regexp"
	"strings"
)

// The annotations that are read.
const (
	DefaultNetworkAnnotation = "v1.multus-cni.io/default-network"
	NetworksAnnotation       = "k8s.v1.cni.cncf.io/networks"
)

var (
	objectName    = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`)
	interfaceName = regexp.MustCompile(`^[^\s/:]{1,15}$`)
)

// Network is one element of an annotation: a NetworkAttachmentDefinition and how to attach it.
type Network struct {
	Name           string         `json:"name"`
	Namespace      string         `json:"namespace"`
	Interface      string         `json:"interface"`
	MAC            string         `json:"mac"`
	IPs            []string       `json:"ips"`
	InfinibandGUID string         `json:"infiniband-guid"`
	PortMappings   []any          `json:"portMappings"`
	Bandwidth      map[string]any `json:"bandwidth"`
	CNIArgs        map[string]any `json:"cni-args"`

	DefaultRoute json.RawMessage `json:"default-route"`
	IPAMClaim    json.RawMessage `json:"ipam-claim-reference"`
}

// String is the network's name as people and the network-status annotation write it.
func (n Network) String() string { return n.Namespace + "/" + n.Name }

// CapabilityArgs are the runtimeConfig entries that the element asks for; libcni gives each plugin
// only those that its configuration declares as capabilities.
func (n Network) CapabilityArgs() map[string]any {
	args := map[string]any{}
	if n.MAC != "" {
		args["mac"] = n.MAC
	}
	if len(n.IPs) > 0 {
		args["ips"] = n.IPs
	}
	if n.InfinibandGUID != "" {
		args["infinibandGUID"] = n.InfinibandGUID
	}
	if len(n.PortMappings) > 0 {
		args["portMappings"] = n.PortMappings
	}
	if len(n.Bandwidth) > 0 {
		args["bandwidth"] = n.Bandwidth
	}
	return args
}

// Parse reads an annotation's value. Elements without a namespace get the given one. The error
// names the annotation and the element at fault.
func Parse(annotation, value, namespace string) ([]Network, error) {
	value = strings.TrimSpace(value)
	if value == "" {
		return nil, nil
	}
	parse := parseComma
	if strings.HasPrefix(value, "[") {
		parse = parseJSON
	}
	networks, err := parse(value)
	if err != nil {
		return nil, fmt.Errorf("annotation %s: %w", annotation, err)
	}
	for i := range networks {
		if networks[i].Namespace == "" {
			networks[i].Namespace = namespace
		}
		if err := networks[i].validate(); err != nil {
			return nil, fmt.Errorf("annotation %s, element %d: %w", annotation, i+1, err)
		}
	}
	return networks, nil
}

func parseJSON(value string) ([]Network, error) {
	var networks []Network
	if err := json.Unmarshal([]byte(value), &networks); err != nil {
		return nil, fmt.Errorf("%q is not a valid JSON list of networks: %w", value, err)
	}
	return networks, nil
}

func parseComma(value string) ([]Network, error) {
	var networks []Network
	for item := range strings.SplitSeq(value, ",") {
		item = strings.TrimSpace(item)
		network, iface, hasInterface := strings.Cut(item, "@")
		if hasInterface && iface == "" {
			return nil, fmt.Errorf("%q names no interface after @: the form is [NAMESPACE/]NAME[@INTERFACE]", item)
		}
		namespace, name, qualified := strings.Cut(network, "/")
		if !qualified {
			namespace, name = "", network
		} else if namespace == "" {
			return nil, fmt.Errorf("%q names no namespace before /: the form is [NAMESPACE/]NAME[@INTERFACE]", item)
		}
		networks = append(networks, Network{Name: name, Namespace: namespace, Interface: iface})
	}
	return networks, nil
}

func (n Network) validate() error {
	switch {
	case !objectName.MatchString(n.Name):
		return fmt.Errorf("network name %q is not the name of an object", n.Name)
	case !objectName.MatchString(n.Namespace):
		return fmt.Errorf("namespace %q of network %q is not the name of a namespace", n.Namespace, n.Name)
	case n.Interface != "" && !interfaceName.MatchString(n.Interface):
		return fmt.Errorf("interface %q of network %s is not an interface name (1 to 15 characters, no space, slash or colon)", n.Interface, n)
	case len(n.DefaultRoute) > 0:
		return fmt.Errorf("network %s asks for default-route, which multus-standin does not support", n)
	case len(n.IPAMClaim) > 0:
		return fmt.Errorf("network %s asks for ipam-claim-reference, which multus-standin does not support", n)
	}
	if n.MAC != "" {
		if _, err := net.ParseMAC(n.MAC); err != nil {
			return fmt.Errorf("mac %q of network %s is not a MAC address", n.MAC, n)
		}
	}
	return nil
}
