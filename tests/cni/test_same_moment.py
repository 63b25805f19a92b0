"""Two containers with the same addresses, added at the same moment: one of them has them."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cni.routing import DUAL, own
from tests.cni.topology import PluginError, Pod, Segment
from tests.cni.traffic import ask, server


def twin(segment: Segment, number: int, like: Pod | None = None) -> Pod:
    """Make a pod, with the addresses of another one."""
    pod = segment.pod()
    pod.plug(number)
    if like is not None:
        pod.space.run("ip addr flush dev eth0 scope global")
        for address in (str(entry["address"]) for entry in like.results["eth0"]["ips"]):
            quick = "nodad" if ":" in address else ""
            pod.space.run(f"ip addr add {address} dev eth0 {quick}")
        pod.results["eth0"] = pod.results["eth0"] | {"ips": like.results["eth0"]["ips"]}
    return pod


def added(pod: Pod) -> bool:
    try:
        pod.coordinator()
    except PluginError as error:
        assert pod.ipv4() in error.msg  # noqa: PT017
        return False
    return True


@pytest.mark.parametrize("attempt", range(4))
def test_one_of_two_has_the_addresses(segment: Segment, attempt: int) -> None:
    first = twin(segment, 10 + attempt)
    pods = [first, twin(segment, 20 + attempt, first)]
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(added, pods))
    assert sorted(results) == [False, True]
    winner, loser = sorted(pods, key=lambda pod: not results[pods.index(pod)])
    assert segment.node.link(loser.host_veth) is None
    winner.coordinator("CHECK")
    for family in DUAL:
        mine = own(winner, "eth0", family)
        with server(winner.space, mine, 8080):
            assert ask(segment.node, mine, 8080) is not None
