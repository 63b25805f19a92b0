"""Settings of a node, made for the machine's own network as an administrator makes them."""

from collections.abc import Iterator

import pytest

from tests.cni.namespace import run
from tests.cni.topology import Segment
from tests.kernels.links import SEGMENT
from tests.kernels.proof import Scene, traffic

INHERIT = "net.core.devconf_inherit_init_net"


def scene(segment: Segment) -> Scene:
    """Return two underlay pods that are set up."""
    pods = (segment.pod(), segment.pod())
    for each in pods:
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


@pytest.fixture
def ipv6_disabled() -> Iterator[None]:
    """Let new links, and those of new namespaces, have no IPv6."""
    settings = {INHERIT: "1", "net.ipv6.conf.default.disable_ipv6": "1"}
    before = {name: run("sysctl", "-n", name).strip() for name in settings}
    for name, value in settings.items():
        run("sysctl", "-qw", f"{name}={value}")
    yield
    for name, value in before.items():
        run("sysctl", "-qw", f"{name}={value}")


@pytest.mark.usefixtures("ipv6_disabled")
def test_ipv6_is_disabled_for_new_links(segment: Segment) -> None:
    made = scene(segment)
    assert made.pod.space.sysctl("net.ipv6.conf.default.disable_ipv6") == "1"
    traffic(made)
    made.pod.coordinator("CHECK")
