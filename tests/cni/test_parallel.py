"""Many pods at the same time: ADD and DEL in parallel."""

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cni.test_delete import leftovers
from tests.cni.topology import PluginError, Pod, Segment
from tests.cni.traffic import pings


def at_once(count: int, work: Callable[[int], object]) -> None:
    """Run work for 0..count-1, all at the same time; the first error is raised."""
    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(work, number) for number in range(count)]:
            done.result()


@pytest.fixture
def crowd(segment: Segment) -> Callable[[int], list[Pod]]:
    """Make pods with a dual-stack eth0 that have not met the coordinator yet."""

    def make(count: int) -> list[Pod]:
        pods = [segment.pod() for _ in range(count)]
        for number, pod in enumerate(pods):
            pod.plug(number + 10)
        return pods

    return make


def one_rule_for_each_family(segment: Segment) -> bool:
    rule = "1000: from all lookup 500 proto 92"
    return all(segment.node.rules(family).count(rule) == 1 for family in (4, 6))


def test_twenty_dual_stack_adds_at_the_same_time(
    segment: Segment, crowd: Callable[[int], list[Pod]]
) -> None:
    pods = crowd(20)
    at_once(20, lambda number: pods[number].coordinator(vethLinkAddress="169.254.100.1"))
    assert one_rule_for_each_family(segment)
    for pod in pods:
        pod.coordinator("CHECK", vethLinkAddress="169.254.100.1")
    for address in (pods[0].ipv4(), pods[0].ipv6(), pods[-1].ipv4(), pods[-1].ipv6()):
        assert pings(segment.node, address)


def test_fifty_pods_come_and_go(segment: Segment, crowd: Callable[[int], list[Pod]]) -> None:
    pods = crowd(50)
    at_once(50, lambda number: pods[number].coordinator())
    assert one_rule_for_each_family(segment)
    for pod in pods:
        pod.coordinator("CHECK")
    half, others = pods[:25], pods[25:]
    at_once(50, lambda number: pods[number].coordinator("DEL" if number < 25 else "ADD"))
    for pod in half:
        assert segment.node.link(pod.host_veth) is None
    for pod in others:
        pod.coordinator("CHECK")
    assert len(segment.node.routes(4, 500)) == len(others)
    at_once(25, lambda number: others[number].coordinator("DEL"))
    assert leftovers(segment, pods[0]) == []
    assert one_rule_for_each_family(segment)


def test_a_pod_that_is_deleted_while_it_is_added_leaves_nothing(
    segment: Segment, crowd: Callable[[int], list[Pod]]
) -> None:
    pods = crowd(8)
    at_once(16, lambda number: attempt(pods[number // 2], ("ADD", "DEL")[number % 2]))
    for pod in pods:
        pod.coordinator("DEL")
    assert leftovers(segment, pods[0]) == []


def attempt(pod: Pod, command: str) -> None:
    """Run a command whose outcome depends on the other one of the same pod."""
    with contextlib.suppress(PluginError):
        pod.coordinator(command)
