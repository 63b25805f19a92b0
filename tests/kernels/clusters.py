"""Cluster networks whose eth0 only a stock kernel has: netkit pairs, ports of Open vSwitch."""

from dataclasses import dataclass, field

from tests.cni.topology import Pod, Segment
from tests.istio.cells import Family
from tests.kernels.ovs import Switch

IP = "/opt/iproute2/bin/ip"
"""The guests' newer ip: the release of their suite cannot make netkit pairs."""

GATEWAY: dict[Family, str] = {4: "10.233.70.1", 6: "fd85:ee78::1"}
_WHOLE: dict[Family, int] = {4: 32, 6: 128}
_LENGTH: dict[Family, int] = {4: 24, 6: 112}


@dataclass
class Cluster:
    """Pods of a cluster network on one node, with their addresses."""

    segment: Segment
    addresses: dict[str, dict[Family, str]] = field(default_factory=dict)

    def address(self, pod: Pod, family: Family) -> str:
        """Return the address that Kubernetes knows."""
        return self.addresses[pod.container][family]

    def _next(self, pod: Pod) -> tuple[int, dict[Family, str]]:
        number = 11 + len(self.addresses)
        found: dict[Family, str] = {4: f"10.233.70.{number}", 6: f"fd85:ee78::{number}"}
        self.addresses[pod.container] = found
        return number, found


class Netkit(Cluster):
    """Pairs without MAC addresses, and a route to each pod, as Cilium lays them out."""

    def prepare(self) -> None:
        """Give the node the address that pods have as their gateway."""
        node = self.segment.node
        node.run("ip link add cilium_host type dummy")
        node.run("ip link set cilium_host up")
        for family, address in GATEWAY.items():
            node.run(f"ip -{family} addr add {address}/{_WHOLE[family]} dev cilium_host")

    def join(self, pod: Pod) -> None:
        """Give the pod its eth0."""
        number, addresses = self._next(pod)
        node, space, name = self.segment.node, pod.space, f"lxc{number}"
        node.run(f"{IP} link add {name} type netkit mode l3 peer forward name tmp{number}")
        node.run(f"ip link set tmp{number} netns {space.name} name eth0")
        node.run(f"ip link set {name} up")
        space.run("ip link set eth0 up")
        for family, address in addresses.items():
            space.run(f"ip -{family} addr add {address}/{_WHOLE[family]} dev eth0")
            space.run(f"ip -{family} route add {GATEWAY[family]} dev eth0")
            space.run(f"ip -{family} route add default via {GATEWAY[family]} dev eth0")
            node.run(f"ip -{family} route add {address} dev {name}")


@dataclass
class OpenVSwitch(Cluster):
    """Ports of a bridge, and the node's own port as gateway, as Antrea lays them out."""

    switch: Switch = field(kw_only=True)

    def prepare(self) -> None:
        """Make the bridge with the node's port."""
        node = self.segment.node
        self.switch.control("add-br", "br-int")
        self.switch.control("add-port", "br-int", "gw0", "--", *_internal("gw0"))
        for family, address in GATEWAY.items():
            quick = " nodad" if family == 6 else ""
            node.run(f"ip -{family} addr add {address}/{_LENGTH[family]} dev gw0{quick}")
        node.run("ip link set gw0 up")

    def join(self, pod: Pod) -> None:
        """Give the pod its eth0."""
        number, addresses = self._next(pod)
        node, space, name = self.segment.node, pod.space, f"web-{number}"
        node.run(f"ip link add {name} type veth peer name eth0 netns {space.name}")
        node.run(f"ip link set {name} up")
        self.switch.control("add-port", "br-int", name)
        space.run("ip link set eth0 up")
        for family, address in addresses.items():
            quick = " nodad" if family == 6 else ""
            space.run(f"ip -{family} addr add {address}/{_LENGTH[family]} dev eth0{quick}")
            space.run(f"ip -{family} route add default via {GATEWAY[family]} dev eth0")


def _internal(name: str) -> list[str]:
    return ["set", "interface", name, "type=internal"]
