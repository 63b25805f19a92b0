package attach

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"spidercoordinator/testbed/multus-standin/internal/kube"
	"spidercoordinator/testbed/multus-standin/internal/network"
	"spidercoordinator/testbed/multus-standin/internal/record"
	"spidercoordinator/testbed/multus-standin/internal/selection"
)

// podRef is what CNI_ARGS tells about the pod.
type podRef struct {
	namespace, name, uid string
	args                 [][2]string
}

func (p podRef) String() string { return p.namespace + "/" + p.name }

func parsePodRef(cniArgs string) podRef {
	var p podRef
	for pair := range strings.SplitSeq(cniArgs, ";") {
		key, value, found := strings.Cut(pair, "=")
		if !found {
			continue
		}
		p.args = append(p.args, [2]string{key, value})
		switch key {
		case "K8S_POD_NAMESPACE":
			p.namespace = value
		case "K8S_POD_NAME":
			p.name = value
		case "K8S_POD_UID":
			p.uid = value
		}
	}
	return p
}

// plan reads the pod and returns its networks in the order in which they are attached: the first
// interface, then those of the networks annotation.
func (s *Sandbox) plan(ctx context.Context, client *kube.Client) ([]record.Attachment, error) {
	annotations, err := s.annotations(ctx, client)
	if err != nil {
		return nil, err
	}
	first, err := s.firstInterface(ctx, client, annotations[selection.DefaultNetworkAnnotation])
	if err != nil {
		return nil, err
	}
	networks, err := selection.Parse(selection.NetworksAnnotation, annotations[selection.NetworksAnnotation], s.pod.namespace)
	if err != nil {
		return nil, err
	}
	attachments := []record.Attachment{first}
	taken := map[string]string{first.IfName: first.Network}
	for i, n := range networks {
		requested := n.Interface != ""
		if !requested {
			n.Interface = fmt.Sprintf("net%d", i+1)
		}
		if other, found := taken[n.Interface]; found {
			return nil, fmt.Errorf("annotation %s: networks %s and %s both ask for interface %s", selection.NetworksAnnotation, other, n, n.Interface)
		}
		taken[n.Interface] = n.String()
		attachment, err := s.attachment(ctx, client, n)
		if err != nil {
			return nil, err
		}
		attachment.Requested = requested
		attachments = append(attachments, attachment)
	}
	return attachments, nil
}

func (s *Sandbox) annotations(ctx context.Context, client *kube.Client) (map[string]string, error) {
	if s.pod.name == "" {
		return nil, nil
	}
	pod, err := client.Pod(ctx, s.pod.namespace, s.pod.name)
	if err != nil {
		return nil, err
	}
	// A static pod's sandbox carries the UID of its file; the mirror pod names it in an annotation.
	mirrored := pod.Metadata.Annotations["kubernetes.io/config.mirror"]
	if s.pod.uid != "" && s.pod.uid != pod.Metadata.UID && s.pod.uid != mirrored {
		return nil, fmt.Errorf("the sandbox is for UID %s, but the pod of that name now has UID %s: it was deleted and made again", s.pod.uid, pod.Metadata.UID)
	}
	return pod.Metadata.Annotations, nil
}

// firstInterface is the cluster network, or the one network that the pod names in its place.
func (s *Sandbox) firstInterface(ctx context.Context, client *kube.Client, annotation string) (record.Attachment, error) {
	networks, err := selection.Parse(selection.DefaultNetworkAnnotation, annotation, s.conf.MultusNamespace)
	if err != nil {
		return record.Attachment{}, err
	}
	if len(networks) > 1 {
		return record.Attachment{}, fmt.Errorf("annotation %s: %q names %d networks, only one can be the default", selection.DefaultNetworkAnnotation, annotation, len(networks))
	}
	var first record.Attachment
	if len(networks) == 1 {
		first, err = s.attachment(ctx, client, networks[0])
	} else {
		first, err = s.clusterNetwork()
	}
	if err != nil {
		return record.Attachment{}, err
	}
	first.IfName, first.Default = s.args.IfName, true
	// What the runtime asks for (hostPort mappings, bandwidth) is meant for the first interface.
	capabilities := maps.Clone(s.conf.RuntimeConfig)
	if capabilities == nil {
		capabilities = map[string]any{}
	}
	maps.Copy(capabilities, first.CapabilityArgs)
	first.CapabilityArgs = capabilities
	return first, nil
}

func (s *Sandbox) clusterNetwork() (record.Attachment, error) {
	list, err := network.ClusterNetwork(s.conf)
	if err != nil {
		return record.Attachment{}, fmt.Errorf("the cluster network cannot be loaded: %w", err)
	}
	return record.Attachment{Network: list.Name, Config: json.RawMessage(list.Bytes)}, nil
}

func (s *Sandbox) attachment(ctx context.Context, client *kube.Client, n selection.Network) (record.Attachment, error) {
	raw, err := client.NetworkConfig(ctx, n.Namespace, n.Name)
	if err != nil {
		return record.Attachment{}, fmt.Errorf("network %s: its NetworkAttachmentDefinition cannot be read: %w", n, err)
	}
	list, err := network.FromDefinition(raw, n.Name, s.conf.ConfDir)
	if err == nil {
		list, err = network.WithArgs(list, n.CNIArgs)
	}
	if err != nil {
		return record.Attachment{}, fmt.Errorf("network %s: %w", n, err)
	}
	return record.Attachment{
		Network:        n.String(),
		IfName:         n.Interface,
		Config:         json.RawMessage(list.Bytes),
		CapabilityArgs: n.CapabilityArgs(),
	}, nil
}
