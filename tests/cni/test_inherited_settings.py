"""Settings that the node's end of the pair inherits from the node's defaults for new links."""

import pytest

from tests.cni.routing import DUAL, SERVICE, own
from tests.cni.test_underlay_traffic import translate
from tests.cni.topology import LAN_IPV4, NODE_IPV4, NODE_IPV6, PluginError, Pod, Segment
from tests.cni.traffic import ask, server

DEFAULT = "net.ipv4.conf.default.forwarding"
NODE = {4: NODE_IPV4, 6: NODE_IPV6}


@pytest.mark.parametrize("family", DUAL)
def test_services_answer_where_new_links_do_not_forward(segment: Segment, family: int) -> None:
    forwarding = [f"{DEFAULT}=0", "net.ipv6.conf.default.forwarding=0"]
    segment.node.run(f"sysctl -qw {' '.join(forwarding)}")
    pod, backend = segment.pod(), segment.pod()
    for each in (pod, backend):
        each.attach(families=DUAL)
        each.coordinator()
    translate(segment, family, SERVICE[family], own(backend, "eth0", family))
    with server(backend.space, own(backend, "eth0", family), 8080):
        answer = ask(pod.space, SERVICE[family], 80)
    assert answer == (own(pod, "eth0", family), own(backend, "eth0", family))
    for each in (pod, backend):
        each.coordinator("CHECK")
    assert segment.node.sysctl(DEFAULT) == "0"


def test_check_names_a_link_that_does_not_forward(pod: Pod, segment: Segment) -> None:
    pod.attach()
    pod.coordinator()
    segment.node.run(f"sysctl -qw net.ipv4.conf.{pod.host_veth}.forwarding=0")
    named = f"set sysctl net.ipv4.conf.{pod.host_veth}.forwarding of the node to 1"
    with pytest.raises(PluginError, match=named):
        pod.coordinator("CHECK")
    pod.coordinator()
    pod.coordinator("CHECK")


def test_a_node_that_does_not_forward_stays_so(pod: Pod, segment: Segment) -> None:
    segment.node.run("sysctl -qw net.ipv4.ip_forward=0")
    pod.attach()
    pod.coordinator()
    pod.coordinator("CHECK")
    assert segment.node.sysctl(f"net.ipv4.conf.{pod.host_veth}.forwarding") == "0"
    translate(segment, 4, SERVICE[4], LAN_IPV4)
    with server(segment.lan, LAN_IPV4, 8080):
        assert ask(pod.space, SERVICE[4], 80, deadline=1) is None
