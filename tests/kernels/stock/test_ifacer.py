"""VLANs and bonds that the ifacer plugin makes on the node, and pods on them.

The configuration is what the operator renders, and frames are looked at where they arrive.
"""

import re
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from testbed import paths
from testbed.prerequisites import NETWORKD
from tests.cni.conftest import wait_for
from tests.cni.topology import PluginError, Segment
from tests.cni.traffic import pings
from tests.kernels import host
from tests.kernels.ifacer import (
    PREVIOUS,
    VLAN,
    Cards,
    add,
    ipam,
    refused,
    rendered,
    section,
    tag_seen,
)
from tests.kernels.links import router, tag


@pytest.fixture
def plugin(binary: Path) -> Path:
    """The plugin as it is released."""
    return binary.with_name("ifacer")


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
    assert made["ifalias"] == "spidercoordinator ifacer"
    assert made["linkinfo"]["info_data"]["id"] == VLAN


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
    # The operator writes a key that the stock plugin does not know, and which it passes over.
    add(pod, plugin, rendered("vlan", cards.network(vlanID=VLAN), ipam(segment)))
    assert tag_seen(pod, segment.lan, "far", outside) == VLAN
    # The VLAN is in that pod's network: on the node there is none, and no second can be made.
    message = refused(pod, plugin, section(cards.network(vlanID=VLAN)))
    assert "is in another network namespace already" in message


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
        pod.call(plugin, "CHECK", "eth0", wanted | PREVIOUS)
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


@pytest.fixture
def machine(tmp_path: Path, binary: Path) -> Iterator[Segment]:
    """The guest itself as node, with udev: systemd-networkd sees its links only."""
    made = host.HostSegment("ifacer", tmp_path, binary)
    try:
        with host.udev():
            made.create()
            yield made
    finally:
        made.delete()


def documented() -> str:
    """Return the file for systemd-networkd that the document shows."""
    text = (paths.PROJECT / "docs" / "ifacer.md").read_text()
    found = re.search(r"^    \[Match\]\n(?:    .*\n|\n)+", text, re.MULTILINE)
    assert found is not None
    return textwrap.dedent(found[0])


def test_networkd_leaves_it_alone(machine: Segment, plugin: Path) -> None:
    """A file that matches too much would give the VLAN interface an address."""
    folder = Path("/etc/systemd/network")
    folder.mkdir(parents=True, exist_ok=True)
    name = f"eth0.{VLAN}"
    excluded, everything = folder / "05-ifacer.network", folder / "06-all.network"
    excluded.write_text(documented().replace("ens5.120", name))
    everything.write_text("[Match]\nName=eth0*\n[Network]\nAddress=10.99.0.1/16\n")
    Path("/run/systemd").mkdir(exist_ok=True)
    pod, wanted = machine.pod(), section({"master": ["eth0"], "vlanID": VLAN})
    pod.call(plugin, "ADD", "eth0", wanted)
    host.settle()
    try:
        with host.daemon(NETWORKD):
            wait_for(lambda: "10.99.0.1/16" in machine.node.addresses("eth0"))
            wait_for(lambda: networkd_says(name) == "unmanaged")
            assert "10.99.0.1/16" not in machine.node.addresses(name)
            pod.call(plugin, "CHECK", "eth0", wanted | PREVIOUS)
    finally:
        excluded.unlink()
        everything.unlink()


def networkd_says(name: str) -> str:
    """Return in which state systemd-networkd has a link."""
    index = Path(f"/sys/class/net/{name}/ifindex").read_text().strip()
    state = Path("/run/systemd/netif/links") / index
    lines = state.read_text().splitlines() if state.exists() else []
    return dict(line.split("=", 1) for line in lines if "=" in line).get("ADMIN_STATE", "")
