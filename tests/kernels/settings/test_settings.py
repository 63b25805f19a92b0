"""Sysctls of the node and of pods."""

import pytest

from tests.cni.topology import Segment
from tests.kernels.links import SEGMENT
from tests.kernels.proof import Scene, traffic

DISABLED = "net.ipv6.conf.default.disable_ipv6"


def scene(segment: Segment, *settings: str) -> Scene:
    """Return two underlay pods with these sysctls that are set up."""
    pods = (segment.pod(), segment.pod())
    for each in pods:
        for setting in settings:
            each.space.run(f"sysctl -qw {setting}")
        each.attach(families=(4, 6))
        each.coordinator()
    return Scene(*pods, SEGMENT)


@pytest.mark.parametrize("value", [0, 1, 2])
def test_rp_filter_of_the_node(segment: Segment, value: int) -> None:
    for link in ("all", "default", "eth0"):
        segment.node.run(f"sysctl -qw net.ipv4.conf.{link}.rp_filter={value}")
    made = scene(segment)
    traffic(made)
    made.pod.coordinator("CHECK")


def test_ipv6_is_disabled_for_new_links(segment: Segment) -> None:
    segment.node.run(f"sysctl -qw {DISABLED}=1")
    made = scene(segment, f"{DISABLED}=1")
    assert made.pod.space.sysctl(DISABLED) == "1"
    traffic(made)
    made.pod.coordinator("CHECK")
