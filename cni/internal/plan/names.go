package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"hash/fnv"
	"net"
	"strings"
)

// Names of interfaces are at most 15 bytes long, so 11 of the container's ID fit.
const (
	hostVethPrefix = "veth"
	shortID        = 11
)

// aliasPrefix starts the alias of every host veth.
const aliasPrefix = "spidercoordinator"

const maxAlias = 200 // the kernel takes 255 bytes

// HostVeth is the name of the node's end of a pod's veth pair. It follows from the container's ID
// alone, so that DEL needs nothing else.
func HostVeth(containerID string) string {
	if len(containerID) > shortID {
		containerID = containerID[:shortID]
	}
	return hostVethPrefix + containerID
}

// Owner is the attachment that a host veth belongs to. The network is needed for GC, which is called
// for one network at a time.
type Owner struct {
	ContainerID, IfName, Network string
}

// Alias encodes the owner as the alias of the host veth.
func (o Owner) Alias() string {
	alias := strings.Join([]string{aliasPrefix, o.ContainerID, o.IfName, o.Network}, " ")
	if len(alias) <= maxAlias {
		return alias
	}
	sum := sha256.Sum256([]byte(o.Network))
	o.Network = "sha256:" + hex.EncodeToString(sum[:8])
	return strings.Join([]string{aliasPrefix, o.ContainerID, o.IfName, o.Network}, " ")
}

// ParseAlias reads the owner from an alias; ok is false for a link of another program.
func ParseAlias(alias string) (owner Owner, ok bool) {
	fields := strings.Fields(alias)
	if len(fields) != 4 || fields[0] != aliasPrefix {
		return Owner{}, false
	}
	return Owner{fields[1], fields[2], fields[3]}, true
}

// vethMAC derives a hardware address: locally administered, unicast, the same for each ADD of the
// same container, and set at creation so that no daemon of the node picks another.
func vethMAC(containerID, end string) string {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(end + " " + containerID))
	mac := net.HardwareAddr(sum.Sum(nil)[:6])
	mac[0] = mac[0]&^1 | 2
	return mac.String()
}

// RouteMetric identifies the attachment that a route on a link of the cluster network belongs to: that
// link has no alias of ours, and its name may be the next pod's tomorrow. In its table the route is the
// only one to its address, so that the metric decides nothing.
func RouteMetric(containerID, ifName string) int {
	const lowest = 1 << 16 // metrics that people write are smaller
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(containerID + " " + ifName))
	return lowest + int(sum.Sum32()>>2) // 30 bits: not everybody reads it as unsigned
}

// HostMAC is the hardware address that the node's end of a container's pair gets.
func HostMAC(containerID string) string { return vethMAC(containerID, "node") }
