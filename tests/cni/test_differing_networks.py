"""Networks of a pod whose sections differ: what each asks for holds, and CHECK of each agrees."""

from typing import Any

import pytest

from tests.cni import overlay
from tests.cni.topology import Pod

DUAL = (4, 6)
PAIRS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "podRPFilter": ({"podRPFilter": 1}, {"podRPFilter": 2}),
    "podRPFilter left alone": ({"podRPFilter": -1}, {"podRPFilter": 1}),
    "podRPFilter off": ({"podRPFilter": 0}, {"podRPFilter": 1}),
    "hostRPFilter": ({"hostRPFilter": 1}, {"hostRPFilter": 2}),
    "hostRPFilter unset": ({"hostRPFilter": None}, {"hostRPFilter": 1}),
    "hijackCIDR": ({"hijackCIDR": ["198.18.0.0/16"]}, {"hijackCIDR": ["2001:2::/48"]}),
    "serviceCIDR": ({"serviceCIDR": ["198.18.0.0/16"]}, {"serviceCIDR": []}),
    "vethMTU": ({"vethMTU": 1400}, {"vethMTU": 1300}),
    "vethLinkAddress": ({"vethLinkAddress": "169.254.9.1"}, {"vethLinkAddress": "fe80::1"}),
    "hostRuleTable": ({"hostRuleTable": 500}, {"hostRuleTable": 200}),
    "podMACPrefix": ({"podMACPrefix": "0a:1b"}, {"podMACPrefix": "0a:1c"}),
    "txQueueLen": ({"txQueueLen": 500}, {"txQueueLen": 600}),
    "tunePodRoutes": ({"tunePodRoutes": True}, {"tunePodRoutes": False}),
    "podDefaultRouteNIC": ({}, {"podDefaultRouteNIC": "net1"}),
    "policyRoutes": (
        {"policyRoutes": [{"dst": "198.18.0.0/15", "gw": "10.6.0.1"}]},
        {"policyRoutes": [{"dst": "198.18.0.0/15", "gw": "10.7.0.1"}]},
    ),
}


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("beside", [False, True], ids=["underlay", "overlay"])
@pytest.mark.parametrize("name", PAIRS)
def test_check_of_each_agrees(pod: Pod, name: str, beside: bool, swapped: bool) -> None:
    first, second = PAIRS[name][::-1] if swapped else PAIRS[name]
    devs = ["net1", "net2"] if beside else ["eth0", "net1", "net2"]
    if beside:
        overlay.connect(pod)
    sections = [first, second, first][: len(devs)]
    for number, (dev, section) in enumerate(zip(devs, sections, strict=True)):
        pod.attach(dev, families=DUAL, net=6 + number)
        pod.coordinator("ADD", dev, **section)
    for dev, section in zip(devs, sections, strict=True):
        pod.coordinator("CHECK", dev, **section)


LOOSEST = [
    (0, 1, "0"),
    (1, 0, "0"),
    (0, 2, "0"),
    (2, 0, "0"),
    (1, 2, "2"),
    (2, 1, "2"),
    (1, 1, "1"),
]


@pytest.mark.parametrize("beside", [False, True], ids=["underlay", "overlay"])
@pytest.mark.parametrize(("one", "other", "kept"), LOOSEST)
def test_the_looser_filter_is_that_of_the_pod(
    pod: Pod, beside: bool, one: int, other: int, kept: str
) -> None:
    """Packets that one network lets in are not dropped for another one's sake."""
    pod.space.run("sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0")
    devs = ["net1", "net2"] if beside else ["eth0", "net1"]
    if beside:
        overlay.connect(pod)
    warnings = ""
    for number, (dev, value) in enumerate(zip(devs, (one, other), strict=True)):
        pod.attach(dev, families=DUAL, net=6 + number)
        answer = pod.coordinator("ADD", dev, podRPFilter=value, hostRPFilter=value)
        warnings = answer.get("warnings", "")
    for dev in ("all", "default", "eth0", *devs):
        assert pod.space.sysctl(f"net.ipv4.conf.{dev}.rp_filter") == kept
    if not beside:
        assert pod.segment.node.sysctl(f"net.ipv4.conf.{pod.host_veth}.rp_filter") == kept
    assert (f"looser than podRPFilter {other} of this network" in warnings) == (kept != str(other))
    pod.coordinator("DEL", devs[1], podRPFilter=other, hostRPFilter=other)
    pod.coordinator("CHECK", devs[0], podRPFilter=one, hostRPFilter=one)


def test_the_first_filter_of_a_pod_is_the_configured_one(pod: Pod) -> None:
    """What it inherits from the node is nobody's wish."""
    for state in ("all", "default"):
        pod.space.run(f"sysctl -qw net.ipv4.conf.{state}.rp_filter=0")
    overlay.connect(pod)
    pod.attach("net1", net=7)
    answer = pod.coordinator("ADD", "net1", podRPFilter=1)
    assert "looser" not in answer.get("warnings", "")
    assert pod.space.sysctl("net.ipv4.conf.all.rp_filter") == "1"
    pod.space.run("sysctl -qw net.ipv4.conf.all.rp_filter=2")
    warnings = pod.coordinator("CHECK", "net1", podRPFilter=1)["warnings"]
    assert "rp_filter of all (2) of the pod is looser than podRPFilter 1" in warnings


@pytest.mark.parametrize("gateway", [False, True])
@pytest.mark.parametrize("beside", [False, True], ids=["underlay", "overlay"])
def test_a_later_network_without_the_coordinator_is_no_matter_of_check(
    pod: Pod, beside: bool, gateway: bool
) -> None:
    devs = ["net1", "net2"] if beside else ["eth0", "net1", "net2"]
    if beside:
        overlay.connect(pod, gateway=gateway)
    for number, dev in enumerate(devs):
        pod.attach(dev, families=DUAL, net=6 + number, gateway=gateway or dev == devs[-1])
        if dev != devs[-1]:
            pod.coordinator("ADD", dev)
    for dev in devs[:-1]:
        pod.coordinator("CHECK", dev)


def test_a_later_choice_of_the_default_route_is_told(pod: Pod) -> None:
    """The last network that names an interface has its way; CHECK of the other one says so."""
    for number, dev in enumerate(("eth0", "net1", "net2")):
        pod.attach(dev, families=DUAL, net=6 + number)
        pod.coordinator("ADD", dev, podDefaultRouteNIC={"net1": "net1", "net2": "eth0"}.get(dev))
    assert "dev eth0" in pod.space.route_get("192.0.2.1")
    warnings = pod.coordinator("CHECK", "net1", podDefaultRouteNIC="net1")["warnings"]
    for family in ("IPv4", "IPv6"):
        assert f"the {family} default route is that of eth0 and not of net1" in warnings
    pod.coordinator("CHECK", "net2", podDefaultRouteNIC="eth0")


@pytest.mark.parametrize("family", DUAL)
def test_a_policy_route_to_another_interfaces_network_needs_no_table(pod: Pod, family: int) -> None:
    """It is added when it is decided which interface needs one."""
    section: dict[str, Any] = {
        "podDefaultRouteNIC": "net1",
        "policyRoutes": [
            {"dst": "10.6.0.0/16", "gw": "10.7.0.1"},
            {"dst": "fd00:10:6::/64", "gw": "fd00:10:7::1"},
        ],
    }
    for number, dev in enumerate(("eth0", "net1")):
        pod.attach(dev, families=(family,), net=6 + number)
        pod.coordinator("ADD", dev, **section)
    for dev in ("eth0", "net1"):
        pod.coordinator("CHECK", dev, **section)
