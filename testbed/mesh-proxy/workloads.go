package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"

	"github.com/containernetworking/plugins/pkg/ns"
)

// workload is a pod whose network namespace a proxy of this process listens in.
type workload struct {
	namespace io.Closer
	listeners []net.Listener
}

// workloads are the pods of a node by their UIDs.
type workloads struct {
	template proxy
	running  map[string]*workload
}

// add has a proxy listen in a pod's network namespace. The descriptor is closed.
func (w *workloads) add(uid, name string, descriptor int) error {
	file := os.NewFile(uintptr(descriptor), name)
	defer file.Close()
	if w.running[uid] != nil {
		return nil
	}
	namespace, err := ns.GetNS(fmt.Sprintf("/proc/self/fd/%d", descriptor))
	if err != nil {
		return fmt.Errorf("network namespace of %s: %w", name, err)
	}
	p := w.template
	p.name, p.within = name, func(act func() error) error {
		return namespace.Do(func(ns.NetNS) error { return act() })
	}
	ways, err := p.listen()
	if err != nil {
		return errors.Join(fmt.Errorf("in the network namespace of %s: %w", name, err), namespace.Close())
	}
	for listener, way := range ways {
		go p.accept(listener, way)
	}
	w.running[uid] = &workload{namespace, slices.Collect(maps.Keys(ways))}
	return nil
}

// remove ends a pod's proxy; one that is not there is no error.
func (w *workloads) remove(uid string) error {
	found := w.running[uid]
	if found == nil {
		return nil
	}
	delete(w.running, uid)
	failures := []error{found.namespace.Close()}
	for _, listener := range found.listeners {
		failures = append(failures, listener.Close())
	}
	return errors.Join(failures...)
}

// keep removes all pods but these.
func (w *workloads) keep(uids []string) error {
	var failures []error
	for uid := range w.running {
		if !slices.Contains(uids, uid) {
			failures = append(failures, w.remove(uid))
		}
	}
	return errors.Join(failures...)
}
