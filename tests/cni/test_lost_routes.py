"""An interface of a pod was down for a moment: the kernel took its routes, CHECK names them."""

import pytest

from tests.cni import overlay
from tests.cni.namespace import Json
from tests.cni.routing import DUAL
from tests.cni.topology import PluginError, Pod, Segment
from tests.cni.traffic import pings

PREFIX = {4: 16, 6: 64}
OUTSIDE = {4: "192.0.2.9", 6: "2001:db8:99::9"}


def behind(family: int, net: int) -> str:
    """Return the destination of the route that an interface's IPAM has beside the default one."""
    return f"198.18.{net}.0/24" if family == 4 else f"2001:2:{net}::/48"


def plain(pod: Pod) -> list[str]:
    """Return routes, rules, permanent neighbours and addresses, as far as others see them."""
    lines = []
    for family in DUAL:
        lines += [
            line.replace(" proto 92", "").split(" src ")[0].removesuffix(" metric 1024 pref medium")
            for line in pod.space.routes(family, "all")
            if "table local" not in line and "fe80" not in line and "multicast" not in line
        ]
        lines += pod.space.rules(family) + pod.space.neighbours(family)
    return sorted(set(lines))


def again(pod: Pod, dev: str) -> None:
    """Set an interface down and up."""
    pod.space.run(f"ip link set {dev} down")
    pod.space.run(f"ip link set {dev} up")


def needs(pod: Pod, dev: str) -> list[str]:
    """Return what CHECK says that an interface needs."""
    try:
        pod.coordinator("CHECK", dev)
    except PluginError as error:
        return (
            error.msg.split("needs: ")[1]
            .removesuffix("; delete the pod to have it set up again")
            .split("; ")
        )
    return []


def with_routes(pod: Pod, dev: str, net: int) -> None:
    """Give the pod an interface whose IPAM has a route beside the default one."""
    conf: Json = {"families": DUAL, "net": net}
    pod.attach(dev, **conf)
    result = pod.results[dev]
    for family in DUAL:
        gateway = f"10.{net}.0.1" if family == 4 else f"fd00:10:{net}::1"
        pod.space.run(f"ip -{family} route add {behind(family, net)} via {gateway} dev {dev}")
        result["routes"].append({"dst": behind(family, net), "gw": gateway})


@pytest.fixture
def several(segment: Segment) -> Pod:
    """An underlay pod with two interfaces, and machines behind the router."""
    segment.lan.run(f"ip addr add {OUTSIDE[4]}/32 dev lo")
    segment.lan.run(f"ip -6 addr add {OUTSIDE[6]}/128 dev lo nodad")
    segment.lan.run("ip addr add 10.7.0.1/16 dev eth0")
    segment.lan.run("ip -6 addr add fd00:10:7::1/64 dev eth0 nodad")
    pod = segment.pod()
    for dev, net in (("eth0", 6), ("net1", 7)):
        with_routes(pod, dev, net)
        pod.coordinator("ADD", dev)
    return pod


@pytest.mark.parametrize("dev", ["eth0", "net1"])
def test_check_names_the_routes_and_the_address(several: Pod, dev: str) -> None:
    pod, net = several, {"eth0": 6, "net1": 7}[dev]
    assert needs(pod, dev) == []
    again(pod, dev)
    told = needs(pod, dev)
    wanted = [f"add address {pod.ipv6(dev)} to {dev} of the pod"]
    for gateway, source in ((f"10.{net}.0.1", pod.ipv4(dev)), (f"fd00:10:{net}::1", pod.ipv6(dev))):
        further = behind(6 if ":" in gateway else 4, net)
        where = "table main" if dev == "eth0" else f"src {source} table 5001"
        wanted += [
            f"add route default via {gateway} dev {dev} {where} to the pod",
            f"add route {further} via {gateway} dev {dev} table main to the pod",
        ]
    assert [line for line in wanted if line not in told] == []
    assert [line for line in told if f"dev {dev}" not in line and line not in wanted] == []
    assert needs(pod, "net1" if dev == "eth0" else "eth0") == []


@pytest.mark.parametrize("family", DUAL)
@pytest.mark.parametrize("dev", ["eth0", "net1"])
def test_what_check_names_is_enough(several: Pod, dev: str, family: int) -> None:
    """With the address put back, a repeated ADD brings the traffic back, and CHECK is content."""
    pod = several
    source = pod.ipv4(dev) if family == 4 else pod.ipv6(dev)
    before = plain(pod)
    assert pings(pod.space, f"-I {source} {OUTSIDE[family]}")
    again(pod, dev)
    look_up = f"{OUTSIDE[family]} from {source}"
    assert family == 6 or f"dev {dev}" not in pod.space.route_get(look_up, family)
    pod.space.run(f"ip -6 addr add {pod.ipv6(dev)}/64 dev {dev} nodad")
    pod.coordinator("ADD", dev)
    assert needs(pod, dev) == []
    assert f"dev {dev}" in pod.space.route_get(look_up, family)
    assert pings(pod.space, f"-I {source} {OUTSIDE[family]}")
    kept = [line for line in before if line not in plain(pod) and "table 4999" not in line]
    assert kept == []


def test_check_names_them_beside_a_cluster_network(pod: Pod) -> None:
    overlay.connect(pod)
    with_routes(pod, "net1", 7)
    pod.coordinator("ADD", "net1")
    again(pod, "net1")
    told = needs(pod, "net1")
    assert f"add address {pod.ipv6('net1')} to net1 of the pod" in told
    for family, gateway in ((4, "10.7.0.1"), (6, "fd00:10:7::1")):
        source = pod.ipv4("net1") if family == 4 else pod.ipv6("net1")
        way = f"via {gateway} dev net1"
        assert f"add route default {way} src {source} table 5002 to the pod" in told
        assert f"add route {behind(family, 7)} {way} table main to the pod" in told


@pytest.mark.parametrize("family", DUAL)
def test_a_default_route_that_multus_moved_is_not_missed(several: Pod, family: int) -> None:
    """Multus deletes it after the ADD: its copy stays."""
    pod = several
    pod.space.run(f"ip -{family} route del default dev eth0")
    assert needs(pod, "eth0") == []
    again(pod, "net1")
    assert needs(pod, "eth0") == []
