"""IPv6 addresses and default routes that come from a router, not from IPAM."""

import sys
from collections.abc import Callable

import pytest

from tests.cni.conftest import wait_for
from tests.cni.namespace import Namespace
from tests.cni.topology import Pod, Segment
from tests.cni.traffic import ask, server

_ADVERTISE = """
import socket, struct, sys
prefix = socket.inet_pton(socket.AF_INET6, sys.argv[1])
raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
head = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
option = struct.pack("!BBBBIII16s", 3, 4, 64, 0xC0, 3600, 3600, 0, prefix)
index = socket.if_nametoindex("eth0")
raw.sendto(head + option, ("ff02::1", 0, 0, index))
"""


def advertise(router: Namespace, prefix: str) -> None:
    """Send one router advertisement with a prefix and a default route."""
    router.run(f"{sys.executable} -I -S - {prefix}", stdin=_ADVERTISE)


@pytest.fixture
def learn(segment: Segment) -> Callable[[Pod, str], str]:
    """Let an interface learn an address and a default route; the address is returned."""

    def learned(pod: Pod, dev: str) -> list[str]:
        found = [address.split("/")[0] for address in pod.space.addresses(dev)]
        return [address for address in found if address.startswith("2001:db8:7:")]

    def teach(pod: Pod, dev: str) -> str:
        for other in ("eth0", "net1"):
            accept = "1" if other == dev else "0"
            key = f"net.ipv6.conf.{other}"
            pod.space.run(f"sysctl -qw {key}.accept_ra={accept} {key}.accept_dad=0", check=False)

        def arrived() -> bool:
            advertise(segment.lan, "2001:db8:7::")
            return learned(pod, dev) != []

        wait_for(arrived)
        return learned(pod, dev)[0]

    return teach


def test_a_learned_address_is_reached_from_the_node(
    pod: Pod, segment: Segment, learn: Callable[[Pod, str], str]
) -> None:
    pod.attach()  # IPAM gives IPv4 only
    address = learn(pod, "eth0")
    pod.coordinator()
    with server(pod.space, address, 8080):
        assert ask(segment.node, address, 8080) is not None
    assert any(route.startswith(address) for route in segment.node.routes(6, 500))
    pod.coordinator("CHECK")


def test_a_learned_default_route_does_not_come_back(
    pod: Pod, segment: Segment, learn: Callable[[Pod, str], str]
) -> None:
    pod.attach(families=(4, 6))
    pod.coordinator()
    pod.attach("net1", net=7)
    address = learn(pod, "net1")
    pod.coordinator("ADD", "net1")
    advertise(segment.lan, "2001:db8:8::")
    wait_for(lambda: any(a.startswith("2001:db8:8:") for a in pod.space.addresses("net1")))
    main = [route for route in pod.space.routes(6) if route.startswith("default")]
    assert len(main) == 1
    assert "dev eth0" in main[0]
    assert "dev net1" in pod.space.route_get(f"2001:db8:ffff::1 from {address}", 6)
