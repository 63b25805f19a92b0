"""A DEL whose netns is another pod's by now, which has the hardware address of the deleted one.

All ipvlan interfaces of a node have their master's, and with podMACPrefix it follows from the
address.
"""

import pytest

from tests.cni import overlay
from tests.cni.conftest import wait_for
from tests.cni.namespace import Json
from tests.cni.routing import DUAL
from tests.cni.test_ownership import entries, same_addresses
from tests.cni.topology import Pod, Segment
from tests.cni.traffic import pings

PREFIX: Json = {"podMACPrefix": "0a:1b"}


def grow(pod: Pod, *, beside: bool, like: Pod | None = None, address: bool = False) -> None:
    """Give a pod eth0 and net1, net1 with another one's hardware address, or its addresses too."""
    if beside:
        overlay.connect(pod)
    else:
        pod.attach(families=DUAL)
        pod.results["eth0"] = pod.coordinator()
    pod.attach("net1", families=DUAL, net=7)
    if like is not None and address:
        pod.space.run("ip addr flush dev net1 scope global")
        same_addresses(pod, like, "net1")
    if like is not None and not address:
        pod.space.run(f"ip link set net1 address {hardware_address(like)}")
        pod.results["net1"]["interfaces"][0]["mac"] = hardware_address(like)
    pod.results["net1"] = pod.coordinator("ADD", "net1", **(PREFIX if address else {}))


def hardware_address(pod: Pod) -> str:
    interfaces: list[Json] = pod.results["net1"]["interfaces"]
    return next(str(link["mac"]) for link in interfaces if link["name"] == "net1")


@pytest.mark.parametrize("address", [False, True], ids=["MAC", "MAC and addresses"])
@pytest.mark.parametrize("beside", [False, True], ids=["underlay", "overlay"])
def test_a_late_del_leaves_the_pod_that_has_the_hardware_address_now(
    segment: Segment, beside: bool, address: bool
) -> None:
    old, new = segment.pod(), segment.pod()
    section = PREFIX if address else {}
    grow(old, beside=beside, address=address)
    old.space.delete()
    leg = overlay.peer(old) if beside else old.host_veth
    wait_for(lambda: segment.node.link(leg) is None)
    grow(new, beside=beside, like=old, address=address)
    link = new.space.link("net1")
    assert link is not None
    assert link["address"] == hardware_address(old)
    inside = [new.space.rules(family) + new.space.routes(family, "all") for family in DUAL]
    outside = entries(segment)
    for _ in range(2):
        old.coordinator("DEL", "net1", env={"CNI_NETNS": str(new.space.path)}, **section)
        after = [new.space.rules(family) + new.space.routes(family, "all") for family in DUAL]
        assert after == inside
        assert entries(segment) == outside
    new.coordinator("CHECK", "net1", **section)
    assert pings(segment.node, new.ipv4("net1"))
    assert pings(segment.node, new.ipv6("net1"))
