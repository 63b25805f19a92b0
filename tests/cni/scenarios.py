"""Random pods: interfaces, address families and coordinator settings, for property tests."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.cni import overlay
from tests.cni.namespace import Json
from tests.cni.topology import Pod, Segment

# Networks that are equal, inside each other, of the cluster, and the pod's or the node's own.
_IPV4 = ["198.18.0.0/15", "198.18.7.0/24", "10.233.0.0/18", "10.233.0.0/16", "10.233.8.0/24"]
_IPV4 += ["10.6.0.10/32", "10.6.0.0/16", "10.7.0.0/16", "0.0.0.0/0"]
_IPV6 = ["2001:2::/48", "2001:2:0:7::/64", "fd85:ee79::/116", "fd00:10:6::10/128", "fd00:10:6::/64"]
destinations = st.sampled_from(_IPV4 + _IPV6)
routers = st.sampled_from([(6, 1), (6, 2), (7, 1), (8, 1)])


def policy_route(destination: str, router: tuple[int, int]) -> Json:
    """Return an entry of policyRoutes by a router of one of the nets."""
    net, host = router
    gateway = f"fd00:10:{net}::{host}" if ":" in destination else f"10.{net}.0.{host}"
    return {"dst": destination, "gw": gateway}


@dataclass(frozen=True)
class Interface:
    """An interface as its main plugin leaves it."""

    name: str
    net: int
    families: tuple[int, ...]
    gateway: bool


@dataclass(frozen=True)
class Scenario:
    """A pod and the coordinator section of all its networks."""

    cluster_network: bool  # eth0 is a cluster network's veth: overlay mode
    interfaces: tuple[Interface, ...]
    section: Json

    @property
    def coordinated(self) -> tuple[Interface, ...]:
        """The interfaces whose networks have the coordinator."""
        return self.interfaces[1:] if self.cluster_network else self.interfaces

    @property
    def tuned(self) -> bool:
        return bool(self.section["tunePodRoutes"])

    @property
    def node_device(self) -> str:
        """The pod's end of the veth pair that leads to the node."""
        return "eth0" if self.cluster_network else "veth0"

    def reaches_node(self, family: int) -> bool:
        """Say whether the family is set up between pod and node."""
        coordinated = any(family in interface.families for interface in self.coordinated)
        return coordinated and (not self.cluster_network or family in self.interfaces[0].families)


@st.composite
def scenarios(draw: st.DrawFn, *, further: int = 0) -> Scenario:
    """Draw a pod of one to three interfaces, with so many further ones at least."""
    cluster_network = draw(st.booleans())
    count = draw(st.integers(1 + max(further, cluster_network), 3))
    interfaces = tuple(
        Interface(
            name=f"net{number}" if number else "eth0",
            net=6 + number,
            families=draw(st.sampled_from([(4,), (6,), (4, 6)])),
            gateway=draw(st.sampled_from([True, True, True, False])),
        )
        for number in range(count)
    )
    with_gateway = [interface.name for interface in interfaces if interface.gateway]
    choices: dict[str, st.SearchStrategy[object]] = {
        "podRPFilter": st.integers(-1, 2),
        "hostRPFilter": st.integers(-1, 2),
        "txQueueLen": st.just(2000),
        "vethMTU": st.just(1400),
        "vethLinkAddress": st.sampled_from(["169.254.100.1", "fe80::1"]),
        "podMACPrefix": st.just("0a:1b"),
        "policyRoutes": st.lists(st.builds(policy_route, destinations, routers), max_size=5),
        "hijackCIDR": st.lists(destinations, max_size=4),
    }
    keys = draw(st.sets(st.sampled_from(sorted(choices))))
    section = {key: draw(choices[key]) for key in sorted(keys)}
    section["podDefaultRouteNIC"] = draw(st.sampled_from([None, *with_gateway, "net9"]))
    section["tunePodRoutes"] = draw(st.sampled_from([True, True, True, False]))
    return Scenario(cluster_network, interfaces, section)


@contextlib.contextmanager
def new_pod(segment: Segment) -> Iterator[Pod]:
    """Make a pod without interfaces, and delete it with all that its interfaces added."""
    pod = segment.pod()
    try:
        yield pod
    finally:
        for name in (pod.host_veth, overlay.peer(pod)):
            segment.node.run(f"ip link del {name}", check=False)
        pod.space.delete()
        segment.pods.remove(pod)


def attach(pod: Pod, scenario: Scenario, interface: Interface) -> None:
    """Run the main plugin of an interface."""
    families, gateway = interface.families, interface.gateway
    if scenario.cluster_network and interface.name == "eth0":
        overlay.connect(pod, families=families, gateway=gateway)
    else:
        pod.attach(interface.name, families=families, net=interface.net, gateway=gateway)


def address(pod: Pod, scenario: Scenario, interface: Interface, family: int) -> str:
    """Return the address of an interface."""
    if scenario.cluster_network and interface.name == "eth0":
        return overlay.IPV4 if family == 4 else overlay.IPV6
    return pod.ipv4(interface.name) if family == 4 else pod.ipv6(interface.name)
