"""VERSION, STATUS and GC."""

import pytest

from tests.cni.namespace import Json
from tests.cni.topology import PluginError, Pod, Segment


def test_version_lists_what_is_understood(pod: Pod) -> None:
    answer = pod.coordinator("VERSION")
    assert answer["supportedVersions"] == ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]


def test_check_is_refused_before_0_4_0(pod: Pod) -> None:
    pod.attach()
    with pytest.raises(PluginError, match="does not allow CHECK"):
        pod.coordinator("CHECK", cniVersion="0.3.1")


def test_status_is_ready(pod: Pod) -> None:
    assert pod.coordinator("STATUS", cniVersion="1.1.0", prevResult=None) == {}


def test_status_tells_why_pods_cannot_start(pod: Pod) -> None:
    with pytest.raises(PluginError, match="no CIDR of services is known") as error:
        pod.coordinator("STATUS", cniVersion="1.1.0", notReadyReason="no CIDR of services is known")
    assert error.value.code == 50


def collect(pod: Pod, valid: list[Json], network: str = "macvlan-conf") -> None:
    section: Json = {"cni.dev/valid-attachments": valid, "name": network, "prevResult": None}
    pod.coordinator("GC", cniVersion="1.1.0", **section)


def test_gc_removes_what_is_left_of_pods_that_are_gone(segment: Segment) -> None:
    kept, gone = segment.pod(), segment.pod()
    for each in (kept, gone):
        each.attach()
        each.coordinator()
    collect(kept, [], network="another-network")
    assert segment.node.link(gone.host_veth) is not None
    collect(kept, [{"containerID": kept.container, "ifname": "eth0"}])
    assert segment.node.link(gone.host_veth) is None
    assert [route.split()[0] for route in segment.node.routes(4, 500)] == [kept.ipv4()]
    kept.coordinator("CHECK")


def test_gc_without_a_list_removes_nothing(pod: Pod, segment: Segment) -> None:
    pod.attach()
    pod.coordinator()
    pod.coordinator("GC", cniVersion="1.1.0", prevResult=None)
    assert segment.node.link(pod.host_veth) is not None
