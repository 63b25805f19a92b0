"""Pods beside udev, systemd-networkd and NetworkManager, with the files that the project ships.

The guest itself is the node here, since udev and these daemons know its own network only.
"""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeAlias

import pytest

from testbed.prerequisites import NETWORKD
from tests.cni.conftest import wait_for
from tests.cni.namespace import run
from tests.cni.topology import LAN_IPV4, LAN_IPV6, NODE_IPV4, NODE_IPV6, Pod, Segment
from tests.kernels import host
from tests.kernels.links import SEGMENT
from tests.kernels.proof import Scene, traffic

Manager: TypeAlias = Callable[[Pod], AbstractContextManager[None]]


@pytest.fixture
def segment(tmp_path: Path, binary: Path) -> Iterator[Segment]:
    """The guest as node, a machine beside it and their segment."""
    host.configure()
    made = host.HostSegment("host", tmp_path, binary)
    try:
        with host.udev():
            made.create()
            yield made
    finally:
        made.delete()
        for family in (4, 6):
            run("ip", f"-{family}", "route", "flush", "table", "500", check=False)


@contextlib.contextmanager
def networkd(_: Pod) -> Iterator[None]:
    """Run systemd-networkd until it has configured eth0."""
    Path("/etc/systemd/network/50-uplink.network").write_text(
        f"[Match]\nName=eth0\n[Network]\nAddress={NODE_IPV4}/16\nAddress={NODE_IPV6}/64\n"
        f"Gateway={LAN_IPV4}\nGateway={LAN_IPV6}\nIPv6AcceptRA=no\n"
    )
    index = Path("/sys/class/net/eth0/ifindex").read_text().strip()
    state = Path("/run/systemd/netif/links") / index
    # The folders below are its own to make: it runs as a user of its own.
    Path("/run/systemd").mkdir(exist_ok=True)
    state.unlink(missing_ok=True)
    with host.daemon(NETWORKD):
        wait_for(
            lambda: "ADMIN_STATE=configured\n" in state.read_text() if state.exists() else False
        )
        yield


@contextlib.contextmanager
def network_manager(pod: Pod) -> Iterator[None]:
    """Run NetworkManager until it has said what it does about the pod's link."""
    Path("/run/dbus").mkdir(exist_ok=True)
    with (
        host.daemon("dbus-daemon", "--system", "--nofork", "--nopidfile"),
        host.daemon("NetworkManager", "--no-daemon"),
    ):
        asked = ["nmcli", "--terse", "--fields", "DEVICE,STATE", "device"]
        line = f"{pod.host_veth}:unmanaged"
        wait_for(lambda: line in run(*asked, check=False).splitlines())
        yield


@contextlib.contextmanager
def udev_alone(_: Pod) -> Iterator[None]:
    """Run nothing more."""
    yield


def added(segment: Segment) -> Pod:
    """Return an underlay pod, after udev has seen to its links."""
    pod = segment.pod()
    pod.attach(families=(4, 6))
    pod.coordinator()
    host.settle()
    return pod


@pytest.mark.parametrize("manager", [udev_alone, networkd, network_manager])
def test_pods_live_beside_it(segment: Segment, manager: Manager) -> None:
    early = added(segment)
    with manager(early):
        late = added(segment)
        traffic(Scene(early, late, SEGMENT))
    # Daemons are restarted by updates, and see then what they did not make.
    with manager(early):
        for pod in (early, late):
            pod.coordinator("CHECK")
        traffic(Scene(late, early, SEGMENT))
    for pod in (early, late):
        pod.coordinator("DEL")
