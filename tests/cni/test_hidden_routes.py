"""Blackholes and their like to the destination of a route of the plugin, with a better metric."""

import pytest

from tests.cni import overlay
from tests.cni.routing import DUAL, SERVICE, own
from tests.cni.test_idempotency import fail_at
from tests.cni.test_underlay_traffic import translate
from tests.cni.topology import NODE_IPV4, NODE_IPV6, PluginError, Pod, Segment
from tests.cni.traffic import ask, server

TYPES = ["blackhole", "unreachable", "prohibit"]
CIDR = {4: "10.233.0.0/18", 6: "fd85:ee79::/116"}


def hidden(pod: Pod, family: int, kind: str) -> bool:
    return any(line.startswith(f"{kind} {CIDR[family]}") for line in pod.space.routes(family))


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("when", ["before ADD", "after ADD"])
def test_services_of_a_pod_that_has_such_a_route(segment: Segment, kind: str, when: str) -> None:
    pod, backend = segment.pod(), segment.pod()
    for each in (pod, backend):
        each.attach(families=DUAL)
    backend.coordinator()
    if when == "after ADD":
        pod.coordinator()
    pod.space.run(f"ip -6 route add {kind} {CIDR[6]} metric 5")
    if when == "after ADD":
        with pytest.raises(PluginError, match=f"delete route {kind} {CIDR[6]}"):
            pod.coordinator("CHECK")
    pod.coordinator()
    pod.coordinator("CHECK")
    assert not hidden(pod, 6, kind)
    translate(segment, 6, SERVICE[6], own(backend, "eth0", 6))
    with server(backend.space, own(backend, "eth0", 6), 8080):
        assert ask(pod.space, SERVICE[6], 80) is not None


def test_a_failed_add_puts_it_back(pod: Pod) -> None:
    pod.attach(families=DUAL)
    pod.space.run(f"ip -6 route add blackhole {CIDR[6]} metric 5")
    step = 0
    while fail_at(pod, step):
        assert hidden(pod, 6, "blackhole")
        step += 1
    assert step > 20
    assert not hidden(pod, 6, "blackhole")


@pytest.mark.parametrize("family", DUAL)
def test_the_nodes_way_to_an_interface_beside_a_cluster_network(
    pod: Pod, segment: Segment, family: int
) -> None:
    overlay.connect(pod)
    pod.attach("net1", families=DUAL, net=7)
    mine = own(pod, "net1", family)
    segment.node.run(f"ip -{family} route add blackhole {mine} metric 5 table 500")
    pod.coordinator("ADD", "net1")
    pod.coordinator("CHECK", "net1")
    with server(pod.space, mine, 8080):
        expected = (NODE_IPV4 if family == 4 else NODE_IPV6, mine)
        assert ask(segment.node, mine, 8080) == expected
