"""DEL: what it removes, without the netns, with an invalid configuration, beside foreign links."""

import pytest

from tests.cni.conftest import wait_for
from tests.cni.namespace import Json
from tests.cni.topology import Pod, Segment


def leftovers(segment: Segment, pod: Pod) -> list[str]:
    """Return what the node still has of a pod."""
    node, found = segment.node, []
    if node.link(pod.host_veth):
        found.append(pod.host_veth)
    for family in (4, 6):
        found += node.routes(family, 500)
        found += node.neighbours(family)
    return found


def test_del_removes_everything_of_the_pod(pod: Pod, segment: Segment) -> None:
    pod.attach(families=(4, 6))
    pod.coordinator()
    assert leftovers(segment, pod) != []
    pod.coordinator("DEL")
    assert leftovers(segment, pod) == []
    pod.coordinator("DEL")


@pytest.mark.parametrize("netns", ["", "/run/netns/missing"])
def test_del_without_the_pods_netns(pod: Pod, segment: Segment, netns: str) -> None:
    pod.attach(families=(4, 6))
    pod.coordinator()
    pod.coordinator("DEL", env={"CNI_NETNS": netns}, prevResult=None)
    assert leftovers(segment, pod) == []
    pod.coordinator("DEL", env={"CNI_NETNS": netns}, prevResult=None)


@pytest.mark.parametrize(
    "section",
    [
        {"mode": "sideways"},
        {"vethMTU": -1},
        {"serviceCIDR": ["no network"]},
        {"podMACPrefix": "zz"},
        {"notReadyReason": "no CIDR of services is known"},
        {"hostRuleTable": 0},
        {"announce": "yes"},
        {"prevResult": {"cniVersion": "1.0.0", "ips": [None]}},
        {"prevResult": {"cniVersion": "0.3.1", "interfaces": [None], "ips": [None]}},
    ],
    ids=str,
)
def test_del_with_an_invalid_configuration(pod: Pod, segment: Segment, section: Json) -> None:
    pod.attach()
    pod.coordinator()
    pod.coordinator("DEL", **section)
    assert leftovers(segment, pod) == []


def test_nothing_is_left_when_the_netns_is_deleted(pod: Pod, segment: Segment) -> None:
    pod.attach(families=(4, 6))
    pod.coordinator()
    pod.space.delete()
    wait_for(lambda: leftovers(segment, pod) == [])


def test_a_link_of_somebody_else_stays(pod: Pod, segment: Segment) -> None:
    segment.node.run(f"ip link add {pod.host_veth} type bridge")
    pod.coordinator("DEL", prevResult=None)
    assert segment.node.link(pod.host_veth) is not None
