"""Fixtures for a kernel that was booted without IPv6."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from tests.cni.namespace import Namespace
from tests.cni.topology import LAN_IPV4, NODE_IPV4, Pod, Segment

_numbers = itertools.count(900)


class Ipv4Segment(Segment):
    """The segment without anything of IPv6, which would be refused."""

    @override
    def create(self) -> None:
        for space in (self.fabric, self.node, self.lan):
            space.create()
        self.fabric.run("ip link add br0 type bridge")
        self.fabric.run("ip link set br0 up")
        self.plug(self.node, "eth0", NODE_IPV4, "")
        self.plug(self.lan, "eth0", LAN_IPV4, "")
        self.node.run(f"ip route add default via {LAN_IPV4}")
        for space in (self.node, self.lan):
            space.run("sysctl -qw net.ipv4.ip_forward=1")

    @override
    def pod(self) -> Pod:
        number = next(_numbers)
        pod = Pod(self, Namespace(f"{self.tag}-pod{number}"), f"{number:04x}".ljust(64, "c"))
        pod.space.create()
        self.pods.append(pod)
        return pod


@pytest.fixture
def segment(tmp_path: Path, binary: Path) -> Iterator[Segment]:
    """A node, a machine beside it and their segment."""
    assert not Path("/proc/sys/net/ipv6").exists(), "this kernel has IPv6"
    with Ipv4Segment(f"n{next(_numbers)}", tmp_path, binary) as made:
        yield made
