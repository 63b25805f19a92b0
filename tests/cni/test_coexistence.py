"""Living with meshes, proxies and other plugins, in the pod and on the node."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cni.namespace import Namespace
from tests.cni.topology import LAN_IPV4, NODE_IPV4, PluginError, Pod, Segment
from tests.cni.traffic import ask, server

LOCK = Path("/run/xtables.lock")


@contextlib.contextmanager
def iptables_lock() -> Iterator[None]:
    """Hold the lock that every iptables-legacy of the machine waits for."""
    with LOCK.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_the_xtables_lock_is_not_waited_for(pod: Pod) -> None:
    pod.attach()
    with iptables_lock():
        pod.coordinator()
        pod.coordinator("CHECK")
        pod.coordinator("DEL")


AMBIENT = """
*mangle
-A PREROUTING -m mark --mark 0x539/0xfff -j CONNMARK --set-xmark 0x111/0xfff
-A OUTPUT -m connmark --mark 0x111/0xfff -j CONNMARK --restore-mark
COMMIT
"""


def test_ambient_mesh_keeps_table_100_and_its_marks(pod: Pod, segment: Segment) -> None:
    pod.attach()
    pod.coordinator()
    pod.space.run("iptables-restore --noflush", stdin=AMBIENT)
    pod.space.run("ip rule add pref 32764 fwmark 0x111/0xfff lookup 100")
    pod.space.run("ip route replace local 0.0.0.0/0 dev lo table 100")
    segment.node.run("ip addr add 169.254.7.127/32 dev lo")
    with server(pod.space, pod.ipv4(), 8080):
        assert ask(segment.node, pod.ipv4(), 8080) is not None
        assert ask(segment.lan, pod.ipv4(), 8080) is not None
    pod.coordinator("CHECK")
    assert "local default dev lo scope host" in pod.space.routes(4, 100)


def test_probe_from_a_link_local_source_is_answered(pod: Pod, segment: Segment) -> None:
    pod.attach()
    pod.coordinator(hijackCIDR=[])
    segment.node.run("ip addr add 169.254.7.127/32 dev lo")
    for words in (
        "table ip probe",
        "chain ip probe post { type nat hook postrouting priority 100 ; }",
        f"rule ip probe post ip saddr {NODE_IPV4} tcp dport 8080 snat to 169.254.7.127",
    ):
        segment.node.run(f"nft add {words}")
    with server(pod.space, pod.ipv4(), 8080):
        assert ask(segment.node, pod.ipv4(), 8080) == ("169.254.7.127", pod.ipv4())


def test_tables_of_others_are_passed_over(pod: Pod, segment: Segment) -> None:
    for table in (5000, 5001):
        pod.space.run(f"ip route add 203.0.113.0/24 dev lo table {table}")
    pod.attach()
    pod.coordinator()
    pod.attach("net1", net=7)
    pod.coordinator("ADD", "net1")
    for table in (5000, 5001):
        assert pod.space.routes(4, table) == ["203.0.113.0/24 dev lo scope link"]
    assert "1000: from all fwmark 0x20000000/0x20000000 lookup 5002 proto 92" in pod.space.rules()
    assert pod.space.routes(4, 5003) != []
    with server(pod.space, pod.ipv4(), 8080):
        assert ask(segment.node, pod.ipv4(), 8080) is not None
    for dev in ("eth0", "net1"):
        pod.coordinator("CHECK", dev)


@pytest.mark.parametrize("program", ["iptables-legacy", "iptables-nft"])
def test_rules_of_others_stay_as_they_are(pod: Pod, segment: Segment, program: str) -> None:
    spaces = (pod.space, segment.node)
    for space in spaces:
        space.run(f"{program} -t mangle -A PREROUTING -m mark --mark 0x4000/0x4000 -j ACCEPT")
        space.run("nft add table inet other")
        space.run("nft add chain inet other input { type filter hook input priority 0 ; }")
    before = [rules_of_others(space, program) for space in spaces]
    pod.attach()
    pod.coordinator()
    assert [rules_of_others(space, program) for space in spaces] == before
    pod.coordinator("DEL")
    assert [rules_of_others(space, program) for space in spaces] == before


def rules_of_others(space: Namespace, program: str) -> list[str]:
    lines = space.run(f"{program}-save").splitlines()
    found = [line for line in lines if line.startswith("-A")]
    assert found != []
    return [*found, space.run("nft list table inet other")]


NODE_PORT = "-d {node} -p tcp --dport 30080 -j DNAT --to {pod}:8080"
SERVICE = {  # as either mode of kube-proxy does for a NodePort with externalTrafficPolicy Local
    "iptables": f"iptables -t nat -A PREROUTING {NODE_PORT}",
    "nftables": "nft add rule ip kube-proxy pre ip daddr {node} tcp dport 30080 dnat to {pod}:8080",
}


@pytest.mark.parametrize("mode", SERVICE)
def test_node_ports_with_local_policy(pod: Pod, segment: Segment, mode: str) -> None:
    pod.attach()
    pod.coordinator()
    if mode == "nftables":
        segment.node.run("nft add table ip kube-proxy")
        chain = "{ type nat hook prerouting priority -100 ; }"
        segment.node.run(f"nft add chain ip kube-proxy pre {chain}")
    segment.node.run(SERVICE[mode].format(node=NODE_IPV4, pod=pod.ipv4()))
    with server(pod.space, pod.ipv4(), 8080):
        assert ask(segment.lan, NODE_IPV4, 30080) == (LAN_IPV4, pod.ipv4())


def test_a_veth_left_over_from_a_lost_pod_is_replaced(pod: Pod, segment: Segment) -> None:
    segment.node.run(f"ip link add {pod.host_veth} type veth peer name other")
    pod.attach()
    pod.coordinator()
    pod.coordinator("CHECK")
    assert segment.node.link("other") is None
    with server(pod.space, pod.ipv4(), 8080):
        assert ask(segment.node, pod.ipv4(), 8080) is not None


def test_a_container_whose_short_id_is_taken(pod: Pod, segment: Segment) -> None:
    pod.attach()
    pod.coordinator()
    other = segment.pod()
    other.container = pod.container[:11] + "f" * 53
    other.attach()
    with pytest.raises(PluginError, match="does not belong to container"):
        other.coordinator()
    other.coordinator("DEL")
    pod.coordinator("CHECK")
