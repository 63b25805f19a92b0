"""ADD and DEL of a further interface of a living pod that are killed between two steps."""

import pytest

from tests.cni import overlay
from tests.cni.routing import DUAL
from tests.cni.test_idempotency import snapshot
from tests.cni.test_ownership import entries
from tests.cni.topology import PluginCrashError, Pod, Segment


def dies(pod: Pod, verb: str, step: int) -> bool:
    """Let a call for net2 die before a step; False when it has fewer steps."""
    try:
        pod.coordinator(verb, "net2", env={"COORDINATOR_DIE_AT": str(step)})
    except PluginCrashError:
        return True
    return False


def state(pod: Pod, segment: Segment) -> list[str]:
    """Return what the plugin adds to pod and node; routes of net2 go with it."""
    return [line for line in snapshot(pod) if "net2" not in line] + entries(segment)


@pytest.fixture(params=[False, True], ids=["underlay", "overlay"])
def pod(request: pytest.FixtureRequest, segment: Segment) -> Pod:
    """A pod with net1, and net2 without the coordinator."""
    made = segment.pod()
    if request.param:
        overlay.connect(made)
    else:
        made.attach(families=DUAL)
        made.coordinator()
    made.attach("net1", families=DUAL, net=7)
    made.coordinator("ADD", "net1")
    made.attach("net2", families=DUAL, net=8)
    return made


def test_del_after_an_add_that_was_killed(pod: Pod, segment: Segment) -> None:
    """The runtime has no result of such an ADD to hand over."""
    pod.coordinator("ADD", "net2")
    pod.coordinator("DEL", "net2")
    before = state(pod, segment)
    steps = 0
    while dies(pod, "ADD", steps):
        steps += 1
        pod.coordinator("DEL", "net2", prevResult=None)
        assert state(pod, segment) == before, f"killed before step {steps - 1}"
    assert steps > 10


def test_del_after_a_del_that_was_killed(pod: Pod, segment: Segment) -> None:
    pod.coordinator("ADD", "net2")
    complete = state(pod, segment)
    pod.coordinator("DEL", "net2")
    before = state(pod, segment)
    pod.coordinator("ADD", "net2")
    steps = 0
    while dies(pod, "DEL", steps):
        steps += 1
        pod.coordinator("DEL", "net2", prevResult=None)
        assert state(pod, segment) == before, f"killed before step {steps - 1}"
        pod.coordinator("ADD", "net2")
        assert state(pod, segment) == complete
    assert steps > 10


def test_add_after_a_del_that_was_killed(pod: Pod, segment: Segment) -> None:
    pod.coordinator("ADD", "net2")
    complete = state(pod, segment)
    steps = 0
    while dies(pod, "DEL", steps):
        steps += 1
        pod.coordinator("ADD", "net2")
        assert state(pod, segment) == complete, f"killed before step {steps - 1}"
        for dev in ("net1", "net2"):
            pod.coordinator("CHECK", dev)
    assert steps > 10
