"""VLANs and bonds that the ifacer plugin makes on the node, and pods on them.

The configuration is what the operator renders, and frames are looked at where they arrive.
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
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
from tests.kernels.links import router, tag

VLAN = 120
ALIAS = "spidercoordinator ifacer"
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


@pytest.fixture
def plugin(binary: Path) -> Path:
    return binary.with_name("ifacer")


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


def add(pod: Pod, plugin: Path, chain: list[Json]) -> Json:
    """Run a chain for eth0, and return the last result."""
    programs = {"ifacer": plugin, "coordinator": pod.segment.binary}
    result: Json = {}
    for section in chain:
        stdin = section | ({"prevResult": result} if result else {})
        path = programs.get(section["type"], PLUGINS / section["type"])
        result = pod.call(path, "ADD", "eth0", stdin)
    pod.results["eth0"] = result
    return result


def ipam(segment: Segment) -> Json:
    found: Json = macvlan(segment.state, families=(4, 6), net=7)["ipam"]
    return found


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


@pytest.mark.parametrize("kind", ["macvlan", "ipvlan"])
def test_a_pod_on_a_vlan(segment: Segment, plugin: Path, kind: str) -> None:
    outside = router(segment, tag(segment.lan, VLAN), 7)
    pod = segment.pod()
    add(pod, plugin, rendered(kind, {"master": ["eth0"], "vlanID": VLAN}, ipam(segment)))
    for address in outside.values():
        wait_for(lambda wanted=address: pings(pod.space, wanted))  # type: ignore[misc]
    assert tag_seen(pod, segment.lan, "eth0", outside[4]) == VLAN
    made = segment.node.link(f"eth0.{VLAN}")
    assert made is not None
    assert made["ifalias"] == ALIAS
    assert made["linkinfo"]["info_data"]["id"] == VLAN


@dataclass
class Cards:
    """Two cards of the node, with the machine outside at the other ends of their cables."""

    segment: Segment
    mode: int
    far: str = "far"

    def plug(self) -> None:
        """Connect them to a bond of the same mode where both ends need one, else to a switch."""
        lan = self.segment.lan
        both = self.mode in {0, 2, 3, 4}
        kind = f"bond mode {self.mode} miimon 100" if both else "bridge"
        lan.run(f"ip link add {self.far} type {kind}")
        for number, mtu in ((1, 9000), (2, 8000)):
            near = f"eth{number}"
            lan.run(f"ip link add c{number} type veth peer name {near} netns {self._node.name}")
            lan.run(f"ip link set c{number} mtu 9000")
            self._node.run(f"ip link set {near} mtu {mtu}")
            if not both:
                lan.run(f"ip link set c{number} up")
            lan.run(f"ip link set c{number} master {self.far}")
        lan.run(f"ip link set {self.far} up")

    @property
    def _node(self) -> Namespace:
        return self.segment.node

    def router(self) -> str:
        """Give the machine outside the router's addresses on the VLAN, and return its IPv4 one."""
        name = f"{self.far}.{VLAN}"
        self.segment.lan.run(f"ip link add link {self.far} name {name} type vlan id {VLAN}")
        self.segment.lan.run(f"ip link set {name} up")
        return router(self.segment, name, 7)[4]

    def network(self, options: str = "miimon=100", **fields: Any) -> Json:
        """Return a network on a bond of both."""
        bond = {"name": "bond0", "mode": self.mode, "options": options}
        return {"master": ["eth1", "eth2"], "bond": bond} | fields

    def members(self) -> list[str]:
        """Return the names of the bond's members."""
        links = self._node.ip("link show")
        return [link["ifname"] for link in links if link.get("master") == "bond0"]


@pytest.mark.parametrize("mode", range(7))
def test_a_pod_on_a_vlan_of_a_bond(segment: Segment, plugin: Path, mode: int) -> None:
    cards = Cards(segment, mode)
    cards.plug()
    outside = cards.router()
    pod = segment.pod()
    chain = rendered("macvlan", cards.network(vlanID=VLAN), ipam(segment))
    add(pod, plugin, chain)
    assert cards.members() == ["eth1", "eth2"]
    assert tag_seen(pod, segment.lan, "far", outside) == VLAN
    for name in ("bond0", f"bond0.{VLAN}", "eth1", "eth2"):
        made = segment.node.link(name)
        assert made is not None
        assert made["mtu"] == 8000, name
    pod.call(plugin, "CHECK", "eth0", chain[0] | {"prevResult": pod.results["eth0"]})
    pod.call(plugin, "DEL", "eth0", chain[0])
    assert pings(pod.space, outside), "DEL has removed what the pod is on"


def test_a_vlan_of_a_bond_inside_the_pod(segment: Segment, plugin: Path) -> None:
    cards = Cards(segment, 1)
    cards.plug()
    outside = cards.router()
    pod = segment.pod()
    chain = rendered("vlan", cards.network(vlanID=VLAN), ipam(segment))
    # The operator writes a key that the stock plugin does not know, and which it passes over.
    add(pod, plugin, chain)
    assert tag_seen(pod, segment.lan, "far", outside) == VLAN
    # The VLAN is in that pod's network: on the node there is none, and no second can be made.
    error = refused(pod, plugin, section(cards.network(vlanID=VLAN)))
    assert "is in another network namespace already" in error.msg


def section(network: Json, kind: str = "macvlan") -> Json:
    """Return the plugin's own section for a network."""
    return rendered(kind, network, {"type": "static"})[0]


OPTIONS = {
    0: "miimon=100;packets_per_slave=3;resend_igmp=2;all_slaves_active=1",
    1: "miimon=100;updelay=250;downdelay=200;primary=eth2;primary_reselect=better"
    ";fail_over_mac=active;num_grat_arp=3;lp_interval=5",
    2: "miimon=100;xmit_hash_policy=layer3+4;min_links=1",
    3: 'arp_interval=200;arp_ip_target=["10.7.0.1","10.7.0.2"]',
    4: "lacp_rate=fast;ad_select=bandwidth;ad_actor_sys_prio=100;ad_user_port_key=7"
    ";ad_actor_system=02:00:00:00:00:01;min_links=1;xmit_hash_policy=vlan+srcmac",
    5: "tlb_dynamic_lb=0;xmit_hash_policy=layer2+3;use_carrier=1",
    6: "miimon=100;primary=eth1",
}
"""Options for each mode: with those of the two tests below, all that the plugin knows."""


@pytest.mark.parametrize("mode", range(7))
def test_options_are_as_configured(segment: Segment, plugin: Path, mode: int) -> None:
    cards = Cards(segment, mode)
    cards.plug()
    wanted = section(cards.network(OPTIONS[mode]))
    pod = segment.pod()
    for _ in range(2):
        pod.call(plugin, "ADD", "eth0", wanted)
        pod.call(plugin, "CHECK", "eth0", wanted | {"prevResult": {"cniVersion": "1.0.0"}})
    other = section(cards.network(f"{OPTIONS[mode]};num_grat_arp=9"))
    if mode != 1:
        assert "num_grat_arp=9" in refused(pod, plugin, other).msg
    bond = segment.node.link("bond0")
    assert bond is not None
    shown = bond["linkinfo"]["info_data"]
    for name, value in (item.split("=") for item in OPTIONS[mode].split(";")):
        if name in {"miimon", "min_links", "packets_per_slave", "resend_igmp", "lp_interval"}:
            assert shown[name] == int(value), name
        if name in {"primary", "primary_reselect", "xmit_hash_policy"}:
            assert shown[name] == value, name


def test_the_active_member(segment: Segment, plugin: Path) -> None:
    """One whose link is down does not become it, and hinders nothing."""
    cards = Cards(segment, 1)
    cards.plug()
    segment.lan.run("ip link set c1 down")
    for chosen in ("eth2", "eth1"):
        wanted = section(cards.network(f"miimon=100;active_slave={chosen}"))
        segment.pod().call(plugin, "ADD", "eth0", wanted)
        bond = segment.node.link("bond0")
        assert bond is not None
        assert bond["linkinfo"]["info_data"]["active_slave"] == "eth2"
        segment.node.run("ip link del bond0")


def test_options_of_arp_monitoring(segment: Segment, plugin: Path) -> None:
    cards = Cards(segment, 1)
    cards.plug()
    options = "arp_interval=200;arp_ip_target=10.7.0.1;arp_validate=active;arp_all_targets=all"
    wanted = section(cards.network(options))
    pod = segment.pod()
    for _ in range(2):
        pod.call(plugin, "ADD", "eth0", wanted)


def refused(pod: Pod, plugin: Path, wanted: Json) -> PluginError:
    """Let an ADD be refused; nothing on the node has changed."""
    node = pod.segment.node
    before = state(node)
    with pytest.raises(PluginError) as caught:
        pod.call(plugin, "ADD", "eth0", wanted)
    assert state(node) == before
    return caught.value


def state(node: Namespace) -> list[tuple[Any, ...]]:
    """Return what matters of all links."""
    return sorted(
        (link["ifname"], link["mtu"], link.get("master"), link["address"], "UP" in link["flags"])
        for link in node.ip("link show")
    )


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("link eth1 name eth1.120 type vlan id 121", "VLAN 121 (802.1q) on eth1"),
        ("link eth2 name eth1.120 type vlan id 120", "VLAN 120 (802.1q) on eth2"),
        (
            "link eth1 name eth1.120 type vlan proto 802.1ad id 120",
            "VLAN 120 (802.1ad) on eth1",
        ),
        ("name eth1.120 type dummy", "of kind dummy"),
        ("link eth1 name storage type vlan id 120", "is interface storage already"),
    ],
)
def test_a_vlan_interface_with_other_properties(
    segment: Segment, plugin: Path, command: str, words: str
) -> None:
    Cards(segment, 1).plug()
    segment.node.run(f"ip link add {command}")
    wanted = section({"master": ["eth1"], "vlanID": VLAN})
    error = refused(segment.pod(), plugin, wanted)
    assert words in error.msg
    assert "eth1.120" in error.msg


@pytest.mark.parametrize(
    ("commands", "words"),
    [
        (["ip link add bond0 type bond mode 4"], "a bond of mode 4"),
        (["ip link add bond0 type bond mode 1 miimon 50"], "miimon=50"),
        (["ip link add bond0 type dummy"], "of kind dummy"),
        (
            [
                "ip link add bond0 type bond mode 1 miimon 100",
                "ip link set eth1 down",
                "ip link set eth1 master bond0",
            ],
            "a bond of eth1, the network needs one of eth1 and eth2",
        ),
        (
            [
                "ip link add br0 type bridge",
                "ip link set eth2 master br0",
            ],
            "eth2 is in br0 already",
        ),
    ],
)
def test_a_bond_with_other_properties(
    segment: Segment, plugin: Path, commands: list[str], words: str
) -> None:
    cards = Cards(segment, 1)
    cards.plug()
    for command in commands:
        segment.node.run(command)
    assert words in refused(segment.pod(), plugin, section(cards.network(vlanID=VLAN))).msg


def test_what_is_half_made_is_rolled_back(segment: Segment, plugin: Path) -> None:
    """The second member cannot be put into the bond: there is an interface of a pod on it."""
    cards = Cards(segment, 1)
    cards.plug()
    segment.node.run("ip link set eth1 up")
    segment.node.run("ip link set eth2 up")
    segment.node.run("ip link add busy link eth2 type macvlan mode bridge")
    error = refused(segment.pod(), plugin, section(cards.network(vlanID=VLAN)))
    assert "put eth2 into bond bond0: device or resource busy" in error.msg
    assert "eth2 is in use" in error.msg


def test_options_that_do_not_go_together(segment: Segment, plugin: Path) -> None:
    cards = Cards(segment, 2)
    cards.plug()
    error = refused(segment.pod(), plugin, section(cards.network("lacp_rate=fast")))
    assert "does not go with bond.mode" in error.msg


def test_many_pods_at_once(segment: Segment, plugin: Path) -> None:
    cards = Cards(segment, 1)
    cards.plug()
    wanted = section(cards.network(vlanID=VLAN))
    pods = [segment.pod() for _ in range(8)]
    with ThreadPoolExecutor(len(pods)) as pool:
        list(pool.map(lambda pod: pod.call(plugin, "ADD", "eth0", wanted), pods))
    assert cards.members() == ["eth1", "eth2"]
    assert segment.node.link(f"bond0.{VLAN}") is not None


def test_what_others_made_is_used_as_it_is(segment: Segment, plugin: Path) -> None:
    """An administrator's VLAN of the same properties, which a pod finds down."""
    segment.node.run(f"ip link add link eth0 name eth0.{VLAN} mtu 1400 type vlan id {VLAN}")
    pod, wanted = segment.pod(), section({"master": ["eth0"], "vlanID": VLAN})
    with pytest.raises(PluginError, match=f"they need: set eth0.{VLAN} up"):
        pod.call(plugin, "CHECK", "eth0", wanted | {"prevResult": {"cniVersion": "1.0.0"}})
    pod.call(plugin, "ADD", "eth0", wanted)
    link = segment.node.link(f"eth0.{VLAN}")
    assert link is not None
    assert "UP" in link["flags"]
    assert link["mtu"] == 1400
    assert "ifalias" not in link


def test_its_own_follows_the_parents_mtu(segment: Segment, plugin: Path) -> None:
    pod, wanted = segment.pod(), section({"master": ["eth0"], "vlanID": VLAN})
    for mtu in (1500, 1400, 1500):
        segment.node.run(f"ip link set eth0 mtu {mtu}")
        pod.call(plugin, "ADD", "eth0", wanted)
        link = segment.node.link(f"eth0.{VLAN}")
        assert link is not None
        assert link["mtu"] == mtu


def test_a_card_that_comes_back_is_put_in_again(segment: Segment, plugin: Path) -> None:
    cards = Cards(segment, 1)
    cards.plug()
    pod, wanted = segment.pod(), section(cards.network())
    pod.call(plugin, "ADD", "eth0", wanted)
    segment.node.run("ip link set eth2 nomaster")
    pod.call(plugin, "ADD", "eth0", wanted)
    assert cards.members() == ["eth1", "eth2"]
