"""A node whose kernel is too old: what is refused there, and what is not."""

import pytest

from tests.cni.test_delete import leftovers
from tests.cni.topology import PluginError, Pod, Segment

UNDER_AN_OLD_NAME = ["setarch", "--uname-2.6"]
"""Runs a program to which the kernel calls itself 2.6, for programs that know no others."""


@pytest.fixture
def old_kernel(segment: Segment) -> Segment:
    """A node whose kernel is older than the plugin needs."""
    segment.wrapper = [*UNDER_AN_OLD_NAME]
    return segment


@pytest.mark.parametrize("verb", ["ADD", "STATUS"])
def test_one_sentence_names_both_kernels(pod: Pod, old_kernel: Segment, verb: str) -> None:
    pod.attach(families=(4, 6))
    with pytest.raises(PluginError) as error:
        pod.coordinator(verb, cniVersion="1.1.0")
    said = error.value.msg
    assert "the node's kernel 2.6." in said
    assert "is too old: the coordinator needs Linux 4.17 or newer" in said
    assert (said.count("\n"), error.value.details) == (0, "")
    assert leftovers(old_kernel, pod) == []
    assert pod.space.link("veth0") is None


def test_pods_that_are_left_alone_start(pod: Pod, old_kernel: Segment) -> None:
    before = pod.attach()
    assert pod.coordinator(mode="disabled")["interfaces"] == before["interfaces"]
    assert leftovers(old_kernel, pod) == []


def test_pods_of_a_newer_kernel_are_deleted(pod: Pod, segment: Segment) -> None:
    pod.attach(families=(4, 6))
    pod.coordinator()
    segment.wrapper = [*UNDER_AN_OLD_NAME]
    pod.coordinator("DEL")
    assert leftovers(segment, pod) == []
