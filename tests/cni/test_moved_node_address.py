"""An address of the node moves away, and the node's routes to pods have it as source.

The kernel keeps them in our table, and what it sends by them is answered to another node.
"""

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cni import overlay
from tests.cni.bridge import Bridge
from tests.cni.conftest import NO_CAPABILITIES, wait_for
from tests.cni.routing import DUAL
from tests.cni.test_installer import ONLY_NET_ADMIN, argv
from tests.cni.topology import (
    LAN_IPV4,
    LAN_IPV6,
    NODE_IPV4,
    NODE_IPV6,
    PluginError,
    Pod,
    Segment,
)
from tests.cni.traffic import ask, pings, server


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """The node's directories."""
    for name in ("bin", "state", "config"):
        (tmp_path / name).mkdir()
    return tmp_path


@contextlib.contextmanager
def resident(segment: Segment, programs: Path, host: Path) -> Iterator[list[str]]:
    """Run the installer as in its pod, and say what it wrote."""
    command = argv(programs, host, "--restore-rules")[len(NO_CAPABILITIES) :]
    said: list[str] = []
    with subprocess.Popen(
        [*segment.node.argv(""), *ONLY_NET_ADMIN, *command], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            wait_for((host / "bin" / "ifacer").exists)
            yield said
        finally:
            process.send_signal(signal.SIGTERM)
            said += process.communicate(timeout=10)[0].splitlines()


def attached(segment: Segment, kind: str) -> tuple[Pod, list[str]]:
    """Make a pod, and name its interfaces that the plugin connected."""
    pod = segment.pod()
    if kind == "routed":
        overlay.connect(pod)
    elif kind == "bridge":
        Bridge(segment).connect(pod)
    devs = ["eth0", "net1"] if kind == "underlay" else ["net1", "net2"]
    for number, dev in enumerate(devs):
        pod.attach(dev, families=DUAL, net=6 + number)
        pod.coordinator("ADD", dev)
    return pod, devs


VIPS = {4: ("10.6.0.77", 16, NODE_IPV4), 6: ("fd00:10:6::77", 64, NODE_IPV6)}


def vip_first(segment: Segment) -> None:
    """Let the virtual addresses be the first ones of the node's interface."""
    node = segment.node
    node.run("sysctl -qw net.ipv4.conf.eth0.promote_secondaries=1")
    node.run("ip addr flush dev eth0 scope global")
    for family, (vip, length, own) in VIPS.items():
        quick = "nodad" if family == 6 else ""
        for address in (vip, own):
            node.run(f"ip addr add {address}/{length} dev eth0 {quick}")
    node.run(f"ip route add default via {LAN_IPV4}")
    node.run(f"ip -6 route add default via {LAN_IPV6}", check=False)


@pytest.mark.parametrize("kind", ["underlay", "routed", "bridge"])
def test_a_source_that_moved_away_is_replaced(
    segment: Segment, programs: Path, host: Path, kind: str
) -> None:
    vip_first(segment)
    node = segment.node
    pod, devs = attached(segment, kind)
    for family, (vip, _, _) in VIPS.items():
        assert "".join(node.routes(family, 500)).count(f"src {vip}") == 2
    with resident(segment, programs, host) as said:
        for family, (vip, length, _) in VIPS.items():
            node.run(f"ip -{family} addr del {vip}/{length} dev eth0")
        for family, (_, _, own) in VIPS.items():
            wait_for(
                lambda family=family, own=own: (  # type: ignore[misc]
                    "".join(node.routes(family, 500)).count(f"src {own}") == 2
                )
            )
    assert "whose source the node has lost" in "".join(said)
    for dev in devs:
        for address in (pod.ipv4(dev), pod.ipv6(dev)):
            with server(pod.space, address, 8080):
                assert ask(node, address, 8080) is not None


@pytest.mark.parametrize("family", DUAL)
def test_without_the_installer_check_names_the_route(segment: Segment, family: int) -> None:
    vip_first(segment)
    pod, _ = attached(segment, "underlay")
    vip, length, own = VIPS[family]
    segment.node.run(f"ip -{family} addr del {vip}/{length} dev eth0")
    with pytest.raises(PluginError, match=f"dev {pod.host_veth} src {own} table 500 to the node"):
        pod.coordinator("CHECK")


def test_a_source_that_is_back_at_once_stays(segment: Segment, programs: Path, host: Path) -> None:
    pod, _ = attached(segment, "underlay")
    node = segment.node
    node.run("ip link add spare type bridge")
    node.run("ip addr add 192.168.9.1/24 dev spare")
    before = node.routes(4, 500)
    node.run(f"ip addr del {NODE_IPV4}/16 dev eth0")
    node.run(f"ip addr add {NODE_IPV4}/16 dev eth0")
    with resident(segment, programs, host):
        node.run("ip rule del pref 1000")
        wait_for(lambda: "1000: from all lookup 500 proto 92" in node.rules())
    assert node.routes(4, 500) == before
    assert pings(node, pod.ipv4())
