// Package attach carries out the CNI commands: it finds the networks of a sandbox's pod and has
// libcni run their plugins, in order for ADD and in reverse order for DEL.
package attach

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"

	"spidercoordinator/testbed/multus-standin/internal/config"
	"spidercoordinator/testbed/multus-standin/internal/kube"
	"spidercoordinator/testbed/multus-standin/internal/record"
	"spidercoordinator/testbed/multus-standin/internal/status"
)

// Sandbox is one call of the plugin: the sandbox it is for and the means to serve it.
type Sandbox struct {
	conf *config.Config
	args *skel.CmdArgs
	pod  podRef
	cni  libcni.CNI
}

// New prepares a call. CNI_PATH is searched after the configuration's binDir.
func New(conf *config.Config, args *skel.CmdArgs) *Sandbox {
	path := filepath.SplitList(args.Path)
	if conf.BinDir != "" {
		path = append([]string{conf.BinDir}, path...)
	}
	return &Sandbox{
		conf: conf,
		args: args,
		pod:  parsePodRef(args.Args),
		cni:  libcni.NewCNIConfigWithCacheDir(path, filepath.Join(conf.CNIDir, "libcni"), nil),
	}
}

// Add attaches all networks of the pod, or none: when one fails, what was attached before is taken
// away again. It returns the first interface's result.
func (s *Sandbox) Add(ctx context.Context) (types.Result, error) {
	client, err := kube.NewClient(s.conf.Kubeconfig)
	if err != nil {
		return nil, err
	}
	attachments, err := s.plan(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("pod %s: %w", s.pod, err)
	}
	sandbox := record.Sandbox{Pod: s.pod.String(), Attachments: attachments}
	if err := record.Write(s.conf.CNIDir, s.args.ContainerID, sandbox); err != nil {
		return nil, fmt.Errorf("pod %s: no record of its networks can be kept: %w", s.pod, err)
	}
	result, err := s.attachAll(ctx, client, attachments)
	if err == nil {
		return result, nil
	}
	if undo := s.Del(ctx); undo != nil {
		err = fmt.Errorf("%w; and what was attached before could not be taken away: %w", err, undo)
	}
	return nil, err
}

// Del detaches what the record lists, last attached first. It goes on after an error and keeps the
// record of what is left, so that the runtime's next DEL finishes the work.
func (s *Sandbox) Del(ctx context.Context) error {
	sandbox, found, err := record.Read(s.conf.CNIDir, s.args.ContainerID)
	if err != nil || !found {
		return err
	}
	var left []record.Attachment
	var failures []error
	for _, a := range slices.Backward(sandbox.Attachments) {
		err := s.each(a, sandbox.Pod, func(list *libcni.NetworkConfigList, rt *libcni.RuntimeConf) error {
			return s.cni.DelNetworkList(ctx, list, rt)
		})
		if err != nil {
			left = append([]record.Attachment{a}, left...)
			failures = append(failures, err)
		}
	}
	if len(left) == 0 {
		return record.Remove(s.conf.CNIDir, s.args.ContainerID)
	}
	sandbox.Attachments = left
	failures = append(failures, record.Write(s.conf.CNIDir, s.args.ContainerID, sandbox))
	return errors.Join(failures...)
}

// Check asks the plugins of every attached network whether it is still as they made it.
func (s *Sandbox) Check(ctx context.Context) error {
	sandbox, found, err := record.Read(s.conf.CNIDir, s.args.ContainerID)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("pod %s: sandbox %s has no record of its networks", s.pod, s.args.ContainerID)
	}
	for _, a := range sandbox.Attachments {
		err := s.each(a, sandbox.Pod, func(list *libcni.NetworkConfigList, rt *libcni.RuntimeConf) error {
			return s.cni.CheckNetworkList(ctx, list, rt)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Sandbox) attachAll(ctx context.Context, client *kube.Client, attachments []record.Attachment) (types.Result, error) {
	var first types.Result
	var statuses []status.Status
	for _, a := range attachments {
		err := s.each(a, s.pod.String(), func(list *libcni.NetworkConfigList, rt *libcni.RuntimeConf) error {
			result, err := s.cni.AddNetworkList(ctx, list, rt)
			if err != nil {
				return err
			}
			if a.Default {
				first = result
			}
			described, err := status.Of(a.Network, a.IfName, a.Default, result)
			statuses = append(statuses, described...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if err := s.publish(ctx, client, statuses); err != nil {
		return nil, fmt.Errorf("pod %s: its network status cannot be written: %w", s.pod, err)
	}
	return first, nil
}

func (s *Sandbox) publish(ctx context.Context, client *kube.Client, statuses []status.Status) error {
	if s.pod.name == "" {
		return nil
	}
	text, err := status.Encode(statuses)
	if err != nil {
		return err
	}
	return client.Annotate(ctx, s.pod.namespace, s.pod.name, status.Annotation, text)
}

// each runs a CNI command for one attachment and says in its error which pod, network, interface
// and plugins it was about.
func (s *Sandbox) each(a record.Attachment, pod string, command func(*libcni.NetworkConfigList, *libcni.RuntimeConf) error) error {
	list, err := libcni.NetworkConfFromBytes(a.Config)
	if err == nil {
		err = command(list, &libcni.RuntimeConf{
			ContainerID:    s.args.ContainerID,
			NetNS:          s.args.Netns,
			IfName:         a.IfName,
			Args:           s.pod.args,
			CapabilityArgs: a.CapabilityArgs,
		})
	}
	if err != nil {
		return fmt.Errorf("pod %s, network %s, interface %s (plugins %s): %w", pod, a.Network, a.IfName, plugins(list), err)
	}
	return nil
}

func plugins(list *libcni.NetworkConfigList) string {
	if list == nil {
		return "unreadable"
	}
	types := make([]string, 0, len(list.Plugins))
	for _, plugin := range list.Plugins {
		types = append(types, plugin.Network.Type)
	}
	return strings.Join(types, ", ")
}
