"""The ifacer plugin on the tests' node: what the operator renders, cards for bonds, and frames."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from spidercoordinator.core.network.render import render_config
from spidercoordinator.core.network.validation import parse
from tests.cni.conftest import wait_for
from tests.cni.namespace import Json, Namespace
from tests.cni.topology import PLUGINS, POD_CIDRS, SERVICE_CIDRS, PluginError, Pod, Segment, macvlan
from tests.cni.traffic import pings
from tests.kernels.links import router

VLAN = 120
PREVIOUS: Json = {"prevResult": {"cniVersion": "1.0.0"}}
"""What CHECK needs beside the configuration."""

_SECTION = {"mode": "auto", "overlayPodCIDR": POD_CIDRS, "serviceCIDR": SERVICE_CIDRS}

# Prints the VLAN tag of the first frame of a sender: the kernel hands it over beside the frame
# (packet(7), PACKET_AUXDATA), 0 without one.
_SNIFFER = """
import socket, struct, sys
dev, mac = sys.argv[1], bytes.fromhex(sys.argv[2].replace(":", ""))
sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
sniffer.setsockopt(263, 8, 1)
sniffer.bind((dev, 0))
print("ready", flush=True)
while True:
    frame, extra, _, _ = sniffer.recvmsg(2000, 200)
    if frame[6:12] == mac:
        status, tci = struct.unpack("=IxxxxxxxxxxxxHxx", extra[0][2][:20])
        print(tci & 0xfff if status & 0x10 else 0)
        break
"""


def rendered(kind: str, network: Json, ipam: Json) -> list[Json]:
    """Return the plugins that the operator renders, each as a runtime hands it over."""
    meta = {"name": "net", "namespace": "default", "uid": "1"}
    spec = parse({"metadata": meta, "spec": {"cniType": kind, kind: network, "ipam": ipam}}).spec
    config = render_config(
        spec, name="net", cni_version="1.0.0", section=_SECTION, default_ipam={}
    ).config
    found: Json = json.loads(config)
    common = {key: found[key] for key in ("name", "cniVersion")}
    return [common | section for section in found["plugins"]]


def section(network: Json, kind: str = "macvlan") -> Json:
    """Return the plugin's own section for a network."""
    return rendered(kind, network, {"type": "static"})[0]


def ipam(segment: Segment) -> Json:
    """Return an IPAM object of net 7."""
    found: Json = macvlan(segment.state, families=(4, 6), net=7)["ipam"]
    return found


def add(pod: Pod, plugin: Path, chain: list[Json]) -> None:
    """Run a chain for eth0, and keep its result."""
    programs = {"ifacer": plugin, "coordinator": pod.segment.binary}
    result: Json = {}
    for each in chain:
        stdin = each | ({"prevResult": result} if result else {})
        path = programs.get(each["type"], PLUGINS / each["type"])
        result = pod.call(path, "ADD", "eth0", stdin)
    pod.results["eth0"] = result


def refused(pod: Pod, plugin: Path, wanted: Json) -> str:
    """Let an ADD be refused, and return why; nothing on the node has changed."""
    node = pod.segment.node
    before = _state(node)
    with pytest.raises(PluginError) as caught:
        pod.call(plugin, "ADD", "eth0", wanted)
    assert _state(node) == before
    return caught.value.msg


def _state(node: Namespace) -> list[tuple[Any, ...]]:
    return sorted(
        (link["ifname"], link["mtu"], link.get("master"), _address(link), "UP" in link["flags"])
        for link in node.ip("link show")
    )


def _address(link: Json) -> str:
    """Return the hardware address; a bond changes its own and its members' when it likes."""
    kind = link.get("linkinfo", {}).get("info_kind")
    return "" if kind == "bond" or "master" in link else str(link["address"])


def tag_seen(pod: Pod, space: Namespace, dev: str, target: str) -> int:
    """Return the VLAN tag with which frames of the pod arrive on an interface."""
    link = pod.space.link("eth0")
    assert link is not None
    argv = [*space.argv(sys.executable), "-I", "-S", "-c", _SNIFFER, dev, link["address"]]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            wait_for(lambda: pings(pod.space, target))
            return int(process.stdout.readline())
        finally:
            process.kill()


@dataclass
class Cards:
    """Two cards of the node, with the machine outside at the other ends of their cables."""

    segment: Segment
    mode: int

    def plug(self) -> None:
        """Connect them to a bond of the same mode where both ends need one, else to a switch."""
        node, lan = self.segment.node, self.segment.lan
        both = self.mode in {0, 2, 3, 4}
        lan.run(f"ip link add far type {f'bond mode {self.mode} miimon 100' if both else 'bridge'}")
        for number, mtu in ((1, 9000), (2, 8000)):
            near = f"eth{number}"
            lan.run(f"ip link add c{number} type veth peer name {near} netns {node.name}")
            lan.run(f"ip link set c{number} mtu 9000")
            node.run(f"ip link set {near} mtu {mtu}")
            if not both:
                lan.run(f"ip link set c{number} up")
            lan.run(f"ip link set c{number} master far")
        lan.run("ip link set far up")

    def router(self) -> str:
        """Give the machine outside the router's addresses on the VLAN, and return its IPv4 one."""
        name = f"far.{VLAN}"
        self.segment.lan.run(f"ip link add link far name {name} type vlan id {VLAN}")
        self.segment.lan.run(f"ip link set {name} up")
        return router(self.segment, name, 7)[4]

    def network(self, options: str = "miimon=100", **fields: Any) -> Json:
        """Return a network on a bond of both."""
        bond = {"name": "bond0", "mode": self.mode, "options": options}
        return {"master": ["eth1", "eth2"], "bond": bond} | fields

    def members(self) -> list[str]:
        """Return the names of the bond's members."""
        links = self.segment.node.ip("link show")
        return [link["ifname"] for link in links if link.get("master") == "bond0"]

    def bond(self) -> Json:
        """Return the bond's options as ip shows them."""
        link = self.segment.node.link("bond0")
        assert link is not None
        found: Json = link["linkinfo"]["info_data"]
        return found
