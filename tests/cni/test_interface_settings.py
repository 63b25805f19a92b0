"""MAC address, queue length, sysctls, detection, defaults file."""

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cni.namespace import Json
from tests.cni.test_delete import leftovers
from tests.cni.topology import LAN_IPV4, LAN_IPV6, NODE_IPV4, NODE_IPV6, PluginError, Pod, Segment
from tests.cni.traffic import pings

_CAPTURE = """
import socket, sys
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
raw.bind(("eth0", 0))
print("ready", flush=True)
while True:
    print(raw.recv(2048).hex(), flush=True)
"""


@contextlib.contextmanager
def captured(segment: Segment) -> Iterator[list[str]]:
    """Collect the frames that the machine beside the node sees, as hexadecimal text."""
    frames: list[str] = []
    argv = [*segment.lan.argv(sys.executable), "-I", "-S", "-c", _CAPTURE]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield frames
            segment.node.run(f"ping -c 1 -W 2 {LAN_IPV4}")
            for line in process.stdout:
                frames.append(line.strip())
                if line[24:28] == "0800":  # the echo request: all frames before it are here
                    break
        finally:
            process.kill()


def mac(pod: Pod, dev: str) -> str:
    link = pod.space.link(dev)
    assert link is not None
    address: str = link["address"]
    return address


def test_mac_address_is_prefix_and_ipv4_address(pod: Pod) -> None:
    pod.attach(families=(4, 6))
    result = pod.coordinator(podMACPrefix="0a:1b")
    octets = [int(part) for part in pod.ipv4().split(".")]
    wanted = "0a:1b:" + ":".join(f"{octet:02x}" for octet in octets)
    assert mac(pod, "eth0") == wanted
    assert mac(pod, "veth0")[:5] != "0a:1b"
    assert result["interfaces"][0]["mac"] == wanted
    pod.coordinator("CHECK", podMACPrefix="0a:1b")


def test_ipv6_only_pods_of_one_segment_have_different_mac_addresses(segment: Segment) -> None:
    """Networks of two subnets give out addresses that end alike."""
    pods = []
    for net in (6, 7):
        segment.lan.run(f"ip -6 addr replace fd00:10:{net}::1/64 dev eth0 nodad")
        pod = segment.pod()
        pod.attach(families=(6,), net=net)
        result = pod.coordinator(podMACPrefix="0a:1b")
        assert result["interfaces"][0]["mac"] == mac(pod, "eth0")
        assert mac(pod, "eth0").startswith("0a:1b:")
        pods.append(pod)
    assert pods[0].ipv6().split("::")[1] == pods[1].ipv6().split("::")[1]
    assert mac(pods[0], "eth0") != mac(pods[1], "eth0")
    for pod in pods:
        pod.coordinator("CHECK", podMACPrefix="0a:1b")
        assert pings(segment.lan, pod.ipv6())


def test_an_ipv6_only_pod_keeps_the_mac_address_of_an_earlier_release(pod: Pod) -> None:
    """It was the prefix and the last four bytes: neighbours know a running pod by it."""
    pod.attach(families=(6,))
    last = socket.inet_pton(socket.AF_INET6, pod.ipv6())[-4:]
    pod.space.run(f"ip link set eth0 address 0a:1b:{last.hex(':')}")
    pod.coordinator(podMACPrefix="0a:1b")
    assert mac(pod, "eth0") == "0a:1b:" + last.hex(":")
    pod.coordinator("CHECK", podMACPrefix="0a:1b")


def test_neighbours_learn_the_new_mac_address(pod: Pod, segment: Segment) -> None:
    pod.attach(families=(4, 6))
    for address in (pod.ipv4(), pod.ipv6()):
        assert pings(segment.lan, address)
    # The macvlan plugin lets the kernel announce too; here the plugin has to do it alone.
    pod.space.run("sysctl -qw net.ipv4.conf.eth0.arp_notify=0 net.ipv6.conf.eth0.ndisc_notify=0")
    with captured(segment) as frames:
        pod.coordinator(podMACPrefix="0a:1b")
    new, ip = mac(pod, "eth0").replace(":", ""), socket.inet_aton(pod.ipv4()).hex()
    gratuitous = f"ffffffffffff{new}08060001080006040001{new}{ip}000000000000{ip}"
    assert [frame[: len(gratuitous)] for frame in frames].count(gratuitous) == 1
    unsolicited = [frame for frame in frames if frame.startswith(f"333300000001{new}86dd")]
    assert any(frame[108:110] == "88" for frame in unsolicited)
    for family, address in ((4, pod.ipv4()), (6, pod.ipv6())):
        entries = segment.lan.run(f"ip -{family} neigh show {address}")
        assert mac(pod, "eth0") in entries


def test_queue_length_is_set_in_the_pod_only(pod: Pod, segment: Segment) -> None:
    pod.attach()
    before = segment.node.link("eth0")
    pod.coordinator(txQueueLen=2000)
    inside = pod.space.link("eth0")
    assert inside is not None
    assert inside["txqlen"] == 2000
    assert segment.node.link("eth0") == before


def test_queue_length_needs_no_interface_of_that_name_on_the_node(segment: Segment) -> None:
    pod = segment.pod()
    pod.attach("ens7")
    pod.coordinator("ADD", "ens7", podDefaultCniNic="ens7", txQueueLen=2000)
    inside = pod.space.link("ens7")
    assert inside is not None
    assert inside["txqlen"] == 2000


@pytest.mark.parametrize("value", [0, 1, 2])
def test_rp_filter_is_set_on_every_interface(pod: Pod, value: int) -> None:
    pod.space.run("sysctl -qw net.ipv4.conf.default.rp_filter=1 net.ipv4.conf.all.rp_filter=1")
    pod.attach("eth0")
    pod.coordinator(podRPFilter=value)
    pod.attach("net1", net=7)
    pod.coordinator("ADD", "net1", podRPFilter=value)
    for dev in ("all", "default", "eth0", "veth0", "net1"):
        assert pod.space.sysctl(f"net.ipv4.conf.{dev}.rp_filter") == str(value)


@pytest.mark.parametrize("value", [-1, -2])
def test_a_negative_pod_rp_filter_changes_nothing(pod: Pod, value: int) -> None:
    pod.space.run("sysctl -qw net.ipv4.conf.default.rp_filter=2 net.ipv4.conf.all.rp_filter=1")
    pod.attach()
    pod.coordinator(podRPFilter=value)
    for dev, expected in (("all", "1"), ("default", "2"), ("eth0", "2"), ("veth0", "2")):
        assert pod.space.sysctl(f"net.ipv4.conf.{dev}.rp_filter") == expected


def test_check_tells_settings_that_break_traffic(pod: Pod, segment: Segment) -> None:
    pod.space.run("sysctl -qw net.ipv4.conf.all.rp_filter=1")
    segment.node.run("sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=0")
    pod.attach()
    pod.coordinator(podRPFilter=-1)
    warnings = pod.coordinator("CHECK", podRPFilter=-1)["warnings"]
    assert "rp_filter is 1 (strict) on veth0 of the pod" in warnings
    assert "nf_conntrack_tcp_be_liberal of the node is 0" in warnings
    assert pod.space.sysctl("net.ipv4.conf.all.rp_filter") == "1"
    assert segment.node.sysctl("net.netfilter.nf_conntrack_tcp_be_liberal") == "0"


def test_check_tells_a_strict_node_with_rules_before_ours(pod: Pod, segment: Segment) -> None:
    pod.attach()
    pod.coordinator(hostRPFilter=1)
    told = "rules of others go before the one to the pods"
    assert told not in pod.coordinator("CHECK", hostRPFilter=1).get("warnings", "")
    segment.node.run("ip rule add pref 9 fwmark 0x200/0xf00 lookup 2004")
    assert told in pod.coordinator("CHECK", hostRPFilter=1)["warnings"]


def test_host_filter_touches_only_our_veth(pod: Pod, segment: Segment) -> None:
    segment.node.run("sysctl -qw net.ipv4.conf.default.rp_filter=1 net.ipv4.conf.all.rp_filter=0")
    pod.attach()
    pod.coordinator(hostRPFilter=2)
    node = segment.node
    assert node.sysctl(f"net.ipv4.conf.{pod.host_veth}.rp_filter") == "2"
    assert node.sysctl("net.ipv4.conf.all.rp_filter") == "0"
    assert node.sysctl("net.ipv4.conf.default.rp_filter") == "1"


def test_ipv6_is_enabled_on_veth0_only(segment: Segment) -> None:
    pod = segment.pod()
    pod.attach(families=(4, 6))
    pod.space.run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
    pod.space.run("ip link add quiet type bridge")
    pod.coordinator()
    assert pod.space.sysctl("net.ipv6.conf.veth0.disable_ipv6") == "0"
    assert pod.space.sysctl("net.ipv6.conf.quiet.disable_ipv6") == "1"
    assert pings(segment.node, pod.ipv6())


def test_a_dual_stack_pod_on_a_node_without_ipv6_gets_ipv4(segment: Segment) -> None:
    segment.node.run("ip -6 addr flush scope global")
    pod = segment.pod()
    pod.attach(families=(4, 6))
    answer = pod.coordinator()
    assert "the node has no IPv6 address" in answer["warnings"]
    assert pings(segment.node, pod.ipv4())
    assert [rule for rule in pod.space.rules(6) if "proto 92" in rule] == []


def test_addresses_from_router_advertisements_count(pod: Pod, segment: Segment) -> None:
    pod.attach()
    pod.space.run("ip -6 addr add fd00:10:6::ab/64 dev eth0 nodad mngtmpaddr")
    pod.coordinator()
    assert pings(segment.node, "fd00:10:6::ab")
    pod.coordinator("CHECK")


@pytest.fixture
def defaults(segment: Segment, tmp_path: Path) -> None:
    """The node's defaults file, as the installer writes it."""
    path = tmp_path / "lib" / "spidercoordinator" / "defaults.json"
    path.parent.mkdir(parents=True)
    path.write_text(
        json.dumps(
            {
                "mode": "auto",
                "overlayPodCIDR": ["10.233.64.0/18"],
                "serviceCIDR": ["10.233.0.0/18"],
                "vethLinkAddress": "169.254.100.1",
                "hijackCIDR": ["203.0.113.0/24"],
            }
        )
    )
    segment.var_lib = tmp_path / "lib"


BARE: Json = {
    "mode": None,
    "overlayPodCIDR": None,
    "serviceCIDR": None,
    "hijackCIDR": None,
    "tunePodRoutes": None,
    "hostRuleTable": None,
    "podRPFilter": None,
}


@pytest.mark.usefixtures("defaults")
def test_a_bare_section_takes_the_nodes_defaults(pod: Pod) -> None:
    pod.attach()
    pod.coordinator(**BARE)
    assert "169.254.100.1/32" in pod.space.addresses("veth0")
    destinations = {route.split()[0] for route in pod.space.routes() if " via " in route}
    assert {"10.233.64.0/18", "10.233.0.0/18", "203.0.113.0/24"} <= destinations
    pod.coordinator("CHECK", **BARE)


@pytest.mark.usefixtures("defaults")
def test_a_list_in_the_section_replaces_the_default(pod: Pod) -> None:
    pod.attach()
    pod.coordinator(**BARE | {"hijackCIDR": ["198.51.100.0/24"]})
    destinations = {route.split()[0] for route in pod.space.routes() if " via " in route}
    assert "198.51.100.0/24" in destinations
    assert "203.0.113.0/24" not in destinations


def test_a_bare_network_on_a_node_without_defaults(pod: Pod) -> None:
    pod.attach()
    with pytest.raises(PluginError, match=r"/var/lib/spidercoordinator/defaults.json is missing"):
        pod.coordinator(**BARE)


@pytest.mark.parametrize("family", [4, 6])
def test_conflicting_address_is_detected_before_use(
    pod: Pod, segment: Segment, family: int
) -> None:
    pod.attach(families=(4, 6))
    address = pod.ipv4() if family == 4 else pod.ipv6()
    lan = segment.lan.link("eth0")
    assert lan is not None
    segment.lan.run(f"ip addr add {address} dev eth0 nodad")
    with pytest.raises(PluginError) as error:
        pod.coordinator(detectIPConflict=True, podMACPrefix="0a:1b")
    wanted = f"pod's interface eth0 with an conflicting ip {address}, {address} is located at"
    assert f"{wanted} {lan['address']}" in error.value.msg
    assert leftovers(segment, pod) == []
    assert mac(pod, "eth0")[:5] != "0a:1b"


def test_no_conflict_and_a_gateway_that_answers(pod: Pod) -> None:
    pod.attach(families=(4, 6))
    pod.coordinator(detectIPConflict=True, detectGateway=True)
    pod.coordinator("CHECK")


@pytest.mark.parametrize("gateway", [LAN_IPV4, LAN_IPV6])
def test_silent_gateway_is_named(pod: Pod, segment: Segment, gateway: str) -> None:
    pod.attach(families=(4, 6))
    segment.lan.run(f"ip addr del {gateway}/{16 if '.' in gateway else 64} dev eth0")
    with pytest.raises(PluginError, match=f"gateway {gateway} is unreachable"):
        pod.coordinator(detectGateway=True)
    assert leftovers(segment, pod) == []


def test_hijack_of_the_interfaces_own_subnet_is_left_out(pod: Pod, segment: Segment) -> None:
    pod.attach()
    answer = pod.coordinator(hijackCIDR=["10.6.0.0/16"])
    assert "CIDR 10.6.0.0/16 is also the subnet of interface eth0" in answer["warnings"]
    assert "dev eth0" in pod.space.route_get("10.6.0.77")
    assert pings(segment.lan, pod.ipv4())
    assert pings(pod.space, NODE_IPV4)


@pytest.mark.parametrize("value", [68, 1000, 1279])
def test_a_pair_too_small_for_ipv6_is_one_of_ipv4(pod: Pod, value: int) -> None:
    """The kernel keeps no settings of IPv6 for such a link."""
    pod.attach()
    pod.coordinator(vethMTU=value)
    pod.coordinator("CHECK", vethMTU=value)
    assert pings(pod.segment.node, pod.ipv4())
    pod.coordinator("DEL", vethMTU=value)


def test_a_pair_too_small_for_ipv6_is_refused_where_the_pod_has_ipv6(pod: Pod) -> None:
    pod.attach(families=(4, 6))
    with pytest.raises(
        PluginError, match=r"is 1279, and IPv6 needs 1280 .RFC 8200.: raise vethMTU"
    ):
        pod.coordinator(vethMTU=1279)
    pod.coordinator(vethMTU=1280)
    pod.coordinator("CHECK", vethMTU=1280)


@pytest.mark.parametrize("family", [4, 6])
def test_an_address_of_the_node_is_none_for_the_pair(pod: Pod, family: int) -> None:
    """The pod would take itself for the node."""
    pod.attach(families=(4, 6))
    address = {4: NODE_IPV4, 6: NODE_IPV6}[family]
    with pytest.raises(PluginError, match=f"vethLinkAddress {address} is the node's own"):
        pod.coordinator(vethLinkAddress=address)
    assert pod.segment.node.link(pod.host_veth) is None
