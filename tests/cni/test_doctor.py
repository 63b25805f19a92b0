"""`coordinator-install doctor` in the node's network, without a single capability."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cni.conftest import NO_CAPABILITIES
from tests.cni.topology import Pod, Segment


@dataclass(frozen=True)
class Node:
    """A node with two pods, and the files that its installer keeps."""

    segment: Segment
    pod: Pod
    programs: Path
    files: Path

    def doctor(self, *flags: str) -> tuple[int, list[str]]:
        """Return the exit code, and the lines without the last one, which counts them."""
        argv = [
            *self.segment.node.argv(""),
            *NO_CAPABILITIES,
            str(self.programs / "coordinator-install"),
            "doctor",
            f"--source={self.programs / 'coordinator'}",
            f"--source={self.programs / 'ifacer'}",
            f"--target-dir={self.files / 'opt/cni/bin'}",
            f"--defaults-target={self.files / 'defaults.json'}",
            *flags,
        ]
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)
        assert done.stderr == ""
        *lines, last = done.stdout.splitlines()
        assert last.startswith("doctor: ")
        return done.returncode, [" ".join(line.split()) for line in lines]


@pytest.fixture(scope="module")
def node(binary: Path, programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    files = tmp_path_factory.mktemp("node")
    (files / "opt/cni/bin").mkdir(parents=True)
    for plugin in ("coordinator", "ifacer"):
        shutil.copy(programs / plugin, files / "opt/cni/bin")
    (files / "defaults.json").write_text('{"mode":"auto","hostRuleTable":500}')
    segment = Segment("sc-doctor", files, binary)
    try:
        segment.create()
        # A new namespace has this off; the kernel's default is not what kube-proxy wants.
        segment.node.run("sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=1")
        pods = [segment.pod(), segment.pod()]
        for each in pods:
            each.attach(families=(4, 6))
            each.coordinator()
        yield Node(segment, pods[0], programs, files)
    finally:
        segment.delete()


def test_a_healthy_node(node: Node) -> None:
    code, lines = node.doctor()
    assert code == 0
    assert {line.split()[0] for line in lines} == {"UNSEEN"}, lines
    assert any("nsenter" in line for line in lines), "what it cannot see it says"


FAULTS = {
    "forwarding": (
        "sysctl -qw net.ipv4.ip_forward=0",
        "sysctl -qw net.ipv4.ip_forward=1",
        "ERROR sysctl net/ipv4/ip_forward: 0",
    ),
    "forwarding of the pod's link": (
        "sysctl -qw net.ipv4.conf.{veth}.forwarding=0",
        "sysctl -qw net.ipv4.conf.{veth}.forwarding=1",
        "ERROR sysctl net/ipv4/conf/{veth}/forwarding: 0, though the node forwards",
    ),
    "forwarding of the uplink": (
        "sysctl -qw net.ipv4.conf.eth0.forwarding=0",
        "sysctl -qw net.ipv4.conf.eth0.forwarding=1",
        "ERROR sysctl net/ipv4/conf/eth0/forwarding: 0, though the node forwards",
    ),
    "forwarding of IPv6": (
        "sysctl -qw net.ipv6.conf.all.forwarding=0",
        "sysctl -qw net.ipv6.conf.all.forwarding=1",
        "ERROR sysctl net/ipv6/conf/all/forwarding: 0",
    ),
    "connection tracker": (
        "sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=0",
        "sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=1",
        "NOTE sysctl net/netfilter/nf_conntrack_tcp_be_liberal: 0",
    ),
    "rule": (
        "ip -6 rule del pref 1000",
        "ip -6 rule add pref 1000 lookup 500 proto 92",
        "ERROR IPv6 rule 1000 to table 500: is missing",
    ),
    "rule of another": (
        "ip rule add pref 200 lookup 77",
        "ip rule del pref 200",
        "WARNING IPv4 rule 200 of another program",
    ),
    "mark rule of another": (
        "ip rule add pref 9 fwmark 0x200/0xf00 lookup 2004",
        "ip rule del pref 9",
        "NOTE IPv4 rule 9 of another program",
    ),
    "a rule before ours that decides, as wg-quick makes": (
        "ip rule add pref 999 lookup main suppress_prefixlength 0",
        "ip rule del pref 999",
        "ERROR the node's IPv4 way to pods: leads by eth0",
    ),
    "a rule before ours that prohibits": (
        "ip -6 rule add pref 99 prohibit",
        "ip -6 rule del pref 99",
        "ERROR the node's IPv6 way to pods: leads nowhere",
    ),
    "the rule of a VRF": (
        "ip rule add pref 1000 l3mdev",
        "ip rule del pref 1000 l3mdev",
        "NOTE IPv4 rule 1000 of another program",
    ),
    "table": (
        "ip route add 192.0.2.0/24 dev eth0 table 500",
        "ip route del 192.0.2.0/24 table 500",
        "WARNING table 500 (hostRuleTable): has a route of another program, to 192.0.2.0/24",
    ),
    "address": (
        "ip addr add 169.254.9.9/16 dev {veth}",
        "ip addr del 169.254.9.9/16 dev {veth}",
        "WARNING link {veth}: was given the address 169.254.9.9/16",
    ),
    "hardware address": (
        "ip link set {veth} address 02:00:00:00:00:01",
        "ip link set {veth} address {mac}",
        "ERROR link {veth}: has the hardware address 02:00:00:00:00:01 in place of {mac}",
    ),
    "neighbour": (
        "ip neigh add 10.6.77.7 lladdr 02:00:00:00:00:02 dev {veth} nud permanent",
        "ip neigh del 10.6.77.7 dev {veth}",
        "WARNING neighbour 10.6.77.7 of {veth}",
    ),
    "route": (
        "ip route del {ip} table 500",
        "ip route add {ip} dev {veth} table 500 proto 92",
        "WARNING neighbour {ip} of {veth}: there is no route to it",
    ),
    "Cilium": (
        "ip link add cilium_host type bridge",
        "ip link del cilium_host",
        "WARNING Cilium",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_while_it_is_there(node: Node, fault: str) -> None:
    veth, space = node.pod.host_veth, node.segment.node
    mac = (space.link(veth) or {})["address"]
    names = {"veth": veth, "mac": mac, "ip": node.pod.ipv4()}
    make, undo, line = (text.format(**names) for text in FAULTS[fault])
    assert not [each for each in node.doctor()[1] if each.startswith(line)]
    space.run(make)
    try:
        code, lines = node.doctor()
    finally:
        space.run(undo)
        node.pod.coordinator()  # with the last address of a link its routes go, too
    assert [each for each in lines if each.startswith(line)], lines
    assert code == (1 if line.startswith("ERROR") else 0)
    assert node.doctor()[0] == 0


def test_strict_reverse_path_is_told_with_the_rule_that_makes_it_one(node: Node) -> None:
    space, key = node.segment.node, f"net.ipv4.conf.{node.pod.host_veth}.rp_filter"
    space.run(f"sysctl -qw {key}=1")
    try:
        assert not [line for line in node.doctor()[1] if "rp_filter" in line]
        space.run("ip rule add pref 9 fwmark 0x200/0xf00 lookup 2004")
        [line] = [line for line in node.doctor()[1] if "rp_filter" in line]
    finally:
        space.run("ip rule del pref 9", check=False)
        space.run(f"sysctl -qw {key}=0")
    assert line.startswith("WARNING sysctl net/ipv4/conf/veth")
    assert "src_valid_mark is 0" in line


def test_the_plugins_file(node: Node) -> None:
    plugin = node.files / "opt/cni/bin/coordinator"
    content = plugin.read_bytes()
    try:
        plugin.write_bytes(content + b"older")
        assert any("is not the version of this image" in line for line in node.doctor()[1])
        plugin.write_text("#!/bin/sh\n")
        code, lines = node.doctor()
        assert code == 1
        assert any("is another product's" in line for line in lines)
        plugin.unlink()
        code, lines = node.doctor()
        assert code == 1
        assert any(f"plugin {plugin}: is missing" in line for line in lines)
    finally:
        plugin.write_bytes(content)
        plugin.chmod(0o755)


def test_the_defaults_file(node: Node) -> None:
    defaults = node.files / "defaults.json"
    content = defaults.read_text()
    try:
        for text, told in (
            ('{"mode":', "ERROR defaults file"),
            ('{"notReadyReason":"no CIDR is known"}', "cannot be served: no CIDR is known"),
        ):
            defaults.write_text(text)
            code, lines = node.doctor()
            assert code == 1
            assert any(told in line for line in lines)
        defaults.unlink()
        code, lines = node.doctor()
        assert code == 0
        assert any(line.startswith("WARNING defaults file") for line in lines)
    finally:
        defaults.write_text(content)


def test_with_the_nodes_files_it_sees_more(node: Node, tmp_path: Path) -> None:
    results = tmp_path / "var/lib/cni/results"
    results.mkdir(parents=True)
    pods = node.segment.pods
    for pod in pods:
        (results / f"macvlan-conf-{pod.container}-eth0").touch()
    _, lines = node.doctor(f"--host-root={tmp_path}")
    assert not [line for line in lines if "runtime has no CNI results" in line]
    (results / f"macvlan-conf-{pods[1].container}-eth0").unlink()
    _, lines = node.doctor(f"--host-root={tmp_path}")
    [line] = [line for line in lines if "runtime has no CNI results" in line]
    assert "link del" not in line, "the pod lives, and its runtime may keep results elsewhere"
    assert line.startswith(f"WARNING link {pods[1].host_veth}: belongs to container")


HOST_CONFIG = {  # where a manager runs, the file, and the folder to put it into
    "NetworkManager": (
        "run/NetworkManager",
        "90-spidercoordinator-networkmanager.conf",
        "etc/NetworkManager/conf.d",
    ),
    "systemd-networkd": (
        "run/systemd/netif",
        "10-spidercoordinator.network",
        "etc/systemd/network",
    ),
}


@pytest.mark.parametrize("manager", HOST_CONFIG)
def test_the_host_config_files_make_host_veths_unmanaged(
    node: Node, tmp_path: Path, manager: str
) -> None:
    runtime_dir, name, target = HOST_CONFIG[manager]
    for folder in (runtime_dir, target):
        (tmp_path / folder).mkdir(parents=True)
    _, lines = node.doctor(f"--host-root={tmp_path}")
    assert [line for line in lines if line.startswith(f"WARNING {manager}: runs, and no file")]
    host_config = Path(__file__).resolve().parents[2] / "cni/host-config"
    shutil.copy(host_config / name, tmp_path / target)
    if manager == "systemd-networkd":
        _, lines = node.doctor(f"--host-root={tmp_path}")
        assert [line for line in lines if "removes the rule and the routes to pods" in line]
        drop_ins = tmp_path / "etc/systemd/networkd.conf.d"
        drop_ins.mkdir()
        shutil.copy(host_config / "90-spidercoordinator-networkd.conf", drop_ins)
    _, lines = node.doctor(f"--host-root={tmp_path}")
    assert not [line for line in lines if manager in line]
