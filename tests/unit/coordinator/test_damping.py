"""Which changes of the cluster's part of the configuration reach networks at once."""

from dataclasses import replace

import pytest

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.coordinator.damping import damp
from spidercoordinator.core.status.contention import BURST, EVERY, History

GOOD = ClusterConfig("default", SpiderCoordinatorSpec(), ("10.0.0.0/8",), ("10.96.0.0/16",))
OTHER = replace(GOOD, overlay_pod_cidr=("10.1.0.0/16",))
BAD = replace(GOOD, overlay_pod_cidr=(), not_ready="the pod CIDR is unknown")
WORDS = replace(BAD, not_ready="the pod CIDR is not known")
USERS = replace(GOOD, spec=SpiderCoordinatorSpec.model_validate({"hostRuleTable": 777}))

SPENT = History(tokens=0.0)


@pytest.mark.parametrize(
    ("current", "proposed", "passes"),
    [
        (None, GOOD, True),
        (None, BAD, True),
        (GOOD, None, True),
        (GOOD, GOOD, True),
        (GOOD, USERS, True),
        (BAD, USERS, True),
        (BAD, GOOD, True),
        (GOOD, BAD, False),
        (GOOD, OTHER, False),
        (BAD, WORDS, False),
    ],
)
def test_what_passes_when_much_has_changed_just_now(
    current: ClusterConfig | None, proposed: ClusterConfig | None, *, passes: bool
) -> None:
    damped = damp(current, proposed, SPENT, 0.0)
    assert damped.cluster == (proposed if passes else current)
    assert (damped.wait == 0) == passes
    assert damp(current, proposed, History(), 0.0).cluster == proposed
    assert damp(current, proposed, SPENT, EVERY).cluster == proposed


def test_a_phase_that_flaps_reaches_networks_a_few_times_and_then_twice_a_minute() -> None:
    current, history, changes = GOOD, History(), 0
    seconds = 600
    for now in range(seconds):
        for proposed in (BAD, GOOD):
            damped = damp(current, proposed, history, float(now))
            changes += damped.cluster != current
            assert damped.cluster is not None
            current, history = damped.cluster, damped.history
    assert current == GOOD
    assert changes <= 2 * (BURST + seconds / EVERY)


def test_words_that_change_each_time_reach_networks_once_a_minute() -> None:
    current, history, changes = BAD, History(), 0
    for now in range(600):
        proposed = replace(BAD, not_ready=f"tried {now} times")
        damped = damp(current, proposed, history, float(now))
        changes += damped.cluster != current
        assert damped.cluster is not None
        current, history = damped.cluster, damped.history
    assert changes <= BURST + 10
