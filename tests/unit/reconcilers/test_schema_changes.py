"""When kinds are listed after their schema changed."""

from __future__ import annotations

from itertools import pairwise

import pytest

from spidercoordinator.handlers import lifecycle
from spidercoordinator.reconcilers.schemachanges import WATCH_ENDS_WITHIN, Suspicion


def lists(events: list[float]) -> list[float]:
    """Seconds after the change at which a list is made, with events at these seconds."""
    suspicion, made, waiting = Suspicion.of_change(0.0), [], sorted(events)
    while True:
        if waiting and waiting[0] < suspicion.due:
            suspicion.observe(waiting.pop(0))
            continue
        made.append(suspicion.due)
        if suspicion.list(suspicion.due):
            return made


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], [1.5, 80.0]),
        ([0.1, 0.2, 1.4], [1.5, 80.0]),
        ([1.6], [1.5, 6.5, 80.0]),
        ([10.0, 10.1, 11.4], [1.5, 11.5, 80.0]),
        ([1.6, 2.0, 6.6, 79.5], [1.5, 6.5, 11.5, 80.0]),
    ],
)
def test_lists(events: list[float], expected: list[float]) -> None:
    assert lists(events) == expected


def test_a_storm_of_events_leads_to_a_list_each_five_seconds() -> None:
    made = lists([each / 10 for each in range(800)])
    assert all(later - earlier >= 5.0 for earlier, later in pairwise(made[:-1]))
    assert len(made) <= 80 / 5 + 2


def test_the_end_is_after_the_longest_watch_of_kopf() -> None:
    assert lifecycle.WATCH + lifecycle.GRACE <= WATCH_ENDS_WITHIN
