"""An address of IPAM that the pod's interface has not, or not any more, is named."""

from collections.abc import Callable

import pytest

from tests.cni import overlay
from tests.cni.routing import DUAL, own
from tests.cni.topology import PluginError, Pod, Segment

LOSSES = {
    "the IPv4 address": (4, "ip addr del {4}/16 dev {dev}"),
    "the IPv6 address": (6, "ip addr del {6}/64 dev {dev}"),
    "IPv6 of the interface": (6, "sysctl -qw net.ipv6.conf.{dev}.disable_ipv6=1"),
    "IPv6 of the pod": (6, "sysctl -qw net.ipv6.conf.all.disable_ipv6=1"),
}


def lose(pod: Pod, dev: str, loss: str) -> str:
    """Take an address from an interface and return it."""
    family, command = LOSSES[loss]
    for key, value in {"{4}": pod.ipv4(dev), "{6}": pod.ipv6(dev), "{dev}": dev}.items():
        command = command.replace(key, value)
    pod.space.run(command)
    return own(pod, dev, family)


@pytest.mark.parametrize("dev", ["eth0", "net1"])
@pytest.mark.parametrize("loss", LOSSES)
def test_check_names_the_address(grow: Callable[..., Pod], loss: str, dev: str) -> None:
    pod = grow("net1")
    address = lose(pod, dev, loss)
    with pytest.raises(PluginError, match=f"needs: add address {address} to {dev} of the pod;"):
        pod.coordinator("CHECK", dev)


@pytest.mark.parametrize("loss", LOSSES)
def test_check_names_the_address_beside_a_cluster_network(segment: Segment, loss: str) -> None:
    pod = segment.pod()
    overlay.connect(pod)
    pod.attach("net1", families=DUAL, net=7)
    pod.coordinator("ADD", "net1")
    address = lose(pod, "net1", loss)
    with pytest.raises(PluginError, match=f"needs: add address {address} to net1 of the pod;"):
        pod.coordinator("CHECK", "net1")


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if "6" in loss])
def test_add_warns_and_sets_up_the_rest(pod: Pod, loss: str) -> None:
    pod.attach(families=DUAL)
    address = lose(pod, "eth0", loss)
    answer = pod.coordinator()
    assert f"interface eth0 does not have the address {address}" in answer["warnings"]
    assert "is net.ipv6.conf.eth0.disable_ipv6 of the pod 1?" in answer["warnings"]
    assert "dev veth0" in pod.space.route_get("10.233.0.1")
