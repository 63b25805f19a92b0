// Package status makes the k8s.v1.cni.cncf.io/network-status annotation out of CNI results (section
// 5 of the multi-network specification). It does no I/O.
package status

import (
	"encoding/json"
	"net"

	"github.com/containernetworking/cni/pkg/types"
	current "github.com/containernetworking/cni/pkg/types/100"
)

// Annotation is the key of the pod annotation.
const Annotation = "k8s.v1.cni.cncf.io/network-status"

// Status is one element of the annotation: one attached network.
type Status struct {
	Name      string    `json:"name"`
	Interface string    `json:"interface,omitempty"`
	IPs       []string  `json:"ips,omitempty"`
	MAC       string    `json:"mac,omitempty"`
	MTU       int       `json:"mtu,omitempty"`
	Default   bool      `json:"default,omitempty"`
	DNS       types.DNS `json:"dns"`
	Gateway   []string  `json:"gateway,omitempty"`
}

// Of describes the attachment of a network as the pod's interface of the given name. Only the
// addresses of that interface are listed, not those of others that a chained plugin made. A network
// whose plugins made no interface is not described, as in Multus since 4.2.
func Of(network, ifname string, isDefault bool, result types.Result) ([]Status, error) {
	r, err := current.NewResultFromResult(result)
	if err != nil || len(r.Interfaces) == 0 {
		return nil, err
	}
	s := Status{Name: network, Interface: ifname, Default: isDefault, DNS: r.DNS}
	index := -1
	for i, iface := range r.Interfaces {
		if iface.Name == ifname && iface.Sandbox != "" {
			index, s.MAC, s.MTU = i, iface.Mac, iface.Mtu
		}
	}
	for _, ip := range r.IPs {
		if ip.Interface == nil || *ip.Interface == index {
			s.IPs = append(s.IPs, ip.Address.IP.String())
		}
	}
	for _, route := range r.Routes {
		if isDefaultRoute(route.Dst) && route.GW != nil {
			s.Gateway = append(s.Gateway, route.GW.String())
		}
	}
	return []Status{s}, nil
}

// Encode is the annotation's value, laid out for people who read it with kubectl.
func Encode(statuses []Status) (string, error) {
	text, err := json.MarshalIndent(statuses, "", "    ")
	return string(text), err
}

func isDefaultRoute(dst net.IPNet) bool {
	ones, bits := dst.Mask.Size()
	return bits > 0 && ones == 0
}
