"""The status of a SpiderMultusConfig: what it says, when its time moves, when it is told."""

from typing import Any

import pytest

from spidercoordinator.core.network.status import Outcome, network_status, told
from spidercoordinator.core.status.conditions import Verdict

THING = {"metadata": {"name": "a", "generation": 3}}
GOOD = Outcome(nad="a", config_hash="0123", message="in sync")
BAD = Outcome(obstacle="NameConflict", message="belongs to b")


def status(
    outcome: Outcome, before: dict[str, Any] | None = None, now: str = "1"
) -> dict[str, Any]:
    return network_status(outcome, {**THING, "status": before or {}}, now=now)


def types(made: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(each["type"], each["status"], each["reason"]) for each in made["conditions"]]


def test_in_sync() -> None:
    made = status(GOOD)
    assert types(made) == [("Ready", "True", "InSync")]
    assert (made["nad"], made["configHash"], made["observedGeneration"]) == ("a", "0123", 3)


def test_obstacle_is_a_condition_of_its_own_and_the_reason_for_not_ready() -> None:
    made = status(BAD)
    assert types(made) == [
        ("Ready", "False", "NameConflict"),
        ("NameConflict", "True", "NameConflict"),
    ]
    assert "nad" not in made


def test_warning_does_not_stand_in_the_way() -> None:
    warning = Verdict("VethLinkAddress", holds=False, reason="NotLinkLocal", message="8.8.8.8")
    made = status(Outcome(nad="a", warnings=[warning]))
    assert types(made)[0] == ("Ready", "True", "InSync")
    assert types(made)[1] == ("VethLinkAddress", "False", "NotLinkLocal")


def test_time_moves_only_with_the_status() -> None:
    first = status(GOOD, now="1")
    again = status(GOOD, first, now="2")
    assert again == first
    assert status(BAD, first, now="3")["conditions"][0]["lastTransitionTime"] == "3"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, GOOD, None),
        (GOOD, GOOD, None),
        (None, BAD, ("Warning", "NameConflict")),
        (GOOD, BAD, ("Warning", "NameConflict")),
        (BAD, BAD, None),
        (BAD, Outcome(obstacle="Invalid", message="x"), ("Warning", "Invalid")),
        (BAD, GOOD, ("Normal", "InSync")),
    ],
)
def test_transitions_are_told(
    before: Outcome | None, after: Outcome, expected: tuple[str, str] | None
) -> None:
    event = told(status(before) if before else {}, status(after))
    assert (event and (event.type, event.reason)) == expected
