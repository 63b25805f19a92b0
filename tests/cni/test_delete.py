"""DEL: statements 64-66."""

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


def test_statement_64_removes_everything_of_the_pod(pod: Pod, segment: Segment) -> None:
    pod.attach(families=(4, 6))
    pod.coordinator()
    assert leftovers(segment, pod) != []
    pod.coordinator("DEL")
    assert leftovers(segment, pod) == []
    pod.coordinator("DEL")


@pytest.mark.parametrize("netns", ["", "/run/netns/missing"])
def test_statement_65_without_the_pods_namespace(pod: Pod, segment: Segment, netns: str) -> None:
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
    ],
    ids=lambda section: next(iter(section)),
)
def test_statement_66_with_a_bad_configuration(pod: Pod, segment: Segment, section: Json) -> None:
    pod.attach()
    pod.coordinator()
    pod.coordinator("DEL", **section)
    assert leftovers(segment, pod) == []


def test_statement_71_nothing_is_left_when_the_namespace_is_lost(
    pod: Pod, segment: Segment
) -> None:
    pod.attach(families=(4, 6))
    pod.coordinator()
    pod.space.delete()
    wait_for(lambda: leftovers(segment, pod) == [])


def test_a_link_of_somebody_else_stays(pod: Pod, segment: Segment) -> None:
    segment.node.run(f"ip link add {pod.host_veth} type bridge")
    pod.coordinator("DEL", prevResult=None)
    assert segment.node.link(pod.host_veth) is not None
