"""Interfaces that are there with other properties, options of bonds, and what fails half way.

A segment takes as long to make as a case, so cases share one.
"""

from pathlib import Path

import pytest

from tests.cni.topology import Pod, Segment
from tests.kernels.ifacer import PREVIOUS, VLAN, Cards, refused, section


@pytest.fixture
def plugin(binary: Path) -> Path:
    """The plugin as it is released."""
    return binary.with_name("ifacer")


@pytest.fixture
def cards(segment: Segment) -> Cards:
    """Two cards on a switch."""
    made = Cards(segment, 1)
    made.plug()
    return made


VLANS = {
    "link eth1 name eth1.120 type vlan id 121": "VLAN 121 (802.1q) on eth1",
    "link eth2 name eth1.120 type vlan id 120": "VLAN 120 (802.1q) on eth2",
    "link eth1 name eth1.120 type vlan proto 802.1ad id 120": "VLAN 120 (802.1ad) on eth1",
    "name eth1.120 type dummy": "of kind dummy",
    "link eth1 name storage type vlan id 120": "is interface storage already",
}
"""What an administrator adds, and how it is named."""


@pytest.mark.usefixtures("cards")
def test_vlan_interfaces_with_other_properties(pod: Pod, plugin: Path) -> None:
    wanted = section({"master": ["eth1"], "vlanID": VLAN})
    for command, words in VLANS.items():
        pod.segment.node.run(f"ip link add {command}")
        message = refused(pod, plugin, wanted)
        assert words in message
        assert "eth1.120" in message
        pod.segment.node.run(f"ip link del {command.split('name ')[1].split()[0]}")
    pod.call(plugin, "ADD", "eth0", wanted)


BONDS = {
    "a bond of mode 4": ["add bond0 type bond mode 4"],
    "miimon=50": ["add bond0 type bond mode 1 miimon 50"],
    "of kind dummy": ["add bond0 type dummy"],
    "a bond of eth1, the network needs one of eth1 and eth2": [
        "add bond0 type bond mode 1 miimon 100",
        "set eth1 down",
        "set eth1 master bond0",
    ],
    "eth2 is in bond0 already": ["add bond0 type bridge", "set eth2 master bond0"],
}
"""How what an administrator makes is named, and how it is made."""


def test_bonds_with_other_properties(cards: Cards, pod: Pod, plugin: Path) -> None:
    for words, commands in BONDS.items():
        for command in commands:
            pod.segment.node.run(f"ip link {command}")
        network = cards.network(vlanID=VLAN)
        if "already" in words:
            network["bond"]["name"] = "bond1"
        assert words in refused(pod, plugin, section(network))
        pod.segment.node.run("ip link del bond0")
    pod.call(plugin, "ADD", "eth0", section(cards.network(vlanID=VLAN)))


def test_what_is_half_made_is_rolled_back(cards: Cards, pod: Pod, plugin: Path) -> None:
    """The second member cannot be put into the bond: there is an interface of a pod on it."""
    node = pod.segment.node
    for command in (
        "set eth1 up",
        "set eth2 up",
        "add busy link eth2 type macvlan mode bridge",
    ):
        node.run(f"ip link {command}")
    message = refused(pod, plugin, section(cards.network(vlanID=VLAN)))
    assert "put eth2 into bond bond0: device or resource busy" in message
    assert "eth2 is in use" in message


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
SHOWN = {
    *("miimon", "min_links", "packets_per_slave", "resend_igmp", "lp_interval"),
    *("primary", "primary_reselect", "xmit_hash_policy"),
}
"""Options that ip shows by the name and value that they were set with."""


def test_options_are_as_configured(cards: Cards, pod: Pod, plugin: Path) -> None:
    for mode, options in OPTIONS.items():
        cards.mode = mode
        wanted = section(cards.network(options))
        pod.call(plugin, "ADD", "eth0", wanted)
        pod.call(plugin, "CHECK", "eth0", wanted | PREVIOUS)
        shown = cards.bond()
        given = dict(item.split("=") for item in options.split(";"))
        for name in SHOWN & given.keys():
            assert str(shown[name]) == given[name], (mode, name)
        other = section(cards.network("num_grat_arp=9"))
        assert "num_grat_arp=9" in refused(pod, plugin, other)
        pod.segment.node.run("ip link del bond0")


def test_the_active_member(cards: Cards, pod: Pod, plugin: Path) -> None:
    """One whose link is down does not become it, and hinders nothing."""
    pod.segment.lan.run("ip link set c1 down")
    for chosen in ("eth2", "eth1"):
        options = f"miimon=100;active_slave={chosen}"
        pod.call(plugin, "ADD", "eth0", section(cards.network(options)))
        assert cards.bond()["active_slave"] == "eth2"
        pod.segment.node.run("ip link del bond0")


def test_options_of_arp_monitoring(cards: Cards, pod: Pod, plugin: Path) -> None:
    options = "arp_interval=200;arp_ip_target=10.7.0.1;arp_validate=active;arp_all_targets=all"
    wanted = section(cards.network(options))
    for command in ("ADD", "CHECK"):
        pod.call(plugin, command, "eth0", wanted | (PREVIOUS if command == "CHECK" else {}))


def test_options_that_do_not_go_together(cards: Cards, pod: Pod, plugin: Path) -> None:
    message = refused(pod, plugin, section(cards.network("lacp_rate=fast")))
    assert "does not go with bond.mode" in message
