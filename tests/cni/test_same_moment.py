"""Two containers with the same addresses, added at the same moment: one of them has them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.cni import overlay
from tests.cni.bridge import Bridge
from tests.cni.routing import DUAL, own
from tests.cni.topology import PluginError, Pod, Segment
from tests.cni.traffic import ask, server


@dataclass
class Twin:
    """A pod and the interface that has the addresses of another pod's, too."""

    pod: Pod
    dev: str
    section: dict[str, Any] = field(default_factory=dict)

    @property
    def leg(self) -> str:
        """The node's end of the link that leads to the pod."""
        return self.pod.host_veth if self.dev == "eth0" else overlay.peer(self.pod)

    def added(self) -> str:
        """Run the ADD and return what it fails with, if it does."""
        try:
            self.pod.coordinator("ADD", self.dev, **self.section)
        except PluginError as error:
            return error.msg
        return ""


def underlay(segment: Segment, _number: int, **section: object) -> Twin:
    """Make a pod whose first interface is in the segment."""
    pod = segment.pod()
    pod.plug(10)
    return Twin(pod, "eth0", section)


def routed(segment: Segment, number: int, **section: object) -> Twin:
    """Make a pod with net1 in the segment beside a cluster network that routes to each pod."""
    pod = segment.pod()
    pod.plug(10)
    pod.space.run("ip link set eth0 down")
    pod.space.run("ip link set eth0 name net1")
    pod.space.run("ip -6 addr add fd00:10:6::2:10/64 dev net1 nodad")
    pod.space.run("ip link set net1 up")
    ipv4, ipv6 = f"10.233.70.{20 + number}", f"fd85:ee78::{20 + number}"
    overlay.connect(pod, ipv4=ipv4, ipv6=ipv6)
    result = pod.results.pop("eth0")
    interface = {"name": "net1", "sandbox": str(pod.space.path)}
    pod.results["net1"] = result | {"interfaces": [interface]}
    return Twin(pod, "net1", section)


def race(twins: list[Twin]) -> tuple[Twin, Twin]:
    """Add both at once, require that one has the addresses, and return it and the other one."""
    with ThreadPoolExecutor() as pool:
        told = list(pool.map(Twin.added, twins))
    assert sorted(map(bool, told)) == [False, True], told
    winner, loser = sorted(twins, key=lambda twin: told[twins.index(twin)])
    message = "".join(told)
    assert own(winner.pod, winner.dev, 4) in message or own(winner.pod, winner.dev, 6) in message
    assert (winner.pod.container if winner.dev == "eth0" else winner.leg) in message
    return winner, loser


def whole(winner: Twin, loser: Twin) -> None:
    """Require that the node reaches the one, and has nothing of the other."""
    node = winner.pod.segment.node
    for family in DUAL:
        entries = node.routes(family, "all") + node.neighbours(family)
        mine = own(winner.pod, winner.dev, family)
        assert not [line for line in entries if line.startswith(mine) and loser.leg in line]
        with server(winner.pod.space, mine, 8080):
            assert ask(node, mine, 8080) is not None
    winner.pod.coordinator("CHECK", winner.dev, **winner.section)


Make = Callable[..., Twin]
PAIRS: dict[str, tuple[tuple[Make, dict[str, Any]], tuple[Make, dict[str, Any]]]] = {
    "underlay": ((underlay, {}), (underlay, {})),
    "overlay": ((routed, {}), (routed, {})),
    "underlay and overlay": ((underlay, {}), (routed, {})),
    "two tables": ((underlay, {}), (underlay, {"hostRuleTable": 200})),
}


@pytest.mark.parametrize("attempt", range(3))
@pytest.mark.parametrize("pair", PAIRS)
def test_one_of_two_has_the_addresses(segment: Segment, pair: str, attempt: int) -> None:
    twins = [make(segment, number, **section) for number, (make, section) in enumerate(PAIRS[pair])]
    whole(*race(twins if attempt % 2 else twins[::-1]))


@pytest.mark.parametrize("attempt", range(3))
def test_one_of_two_on_a_bridge_has_the_addresses(segment: Segment, attempt: int) -> None:
    bridge = Bridge(segment)
    twins = []
    for number in range(2):
        twin = routed(segment, number)
        segment.node.run(f"ip link del {overlay.peer(twin.pod)}")
        bridge.connect(twin.pod)
        twins.append(twin)
    with ThreadPoolExecutor() as pool:
        told = list(pool.map(Twin.added, twins if attempt % 2 else twins[::-1]))
    assert sorted(map(bool, told)) == [False, True], told
    assert "already has a permanent neighbour entry of" in "".join(told)
