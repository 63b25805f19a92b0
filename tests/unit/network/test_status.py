"""The status of a SpiderMultusConfig: what it says, when its time moves, when it is an Event."""

from typing import Any

import pytest

from spidercoordinator.core.network.status import NetworkOutcome, network_status, network_transition
from spidercoordinator.core.status.conditions import ConditionState

NETWORK = {"metadata": {"name": "a", "generation": 3}}
GOOD = NetworkOutcome(nad="a", config_hash="0123", message="in sync")
BAD = NetworkOutcome(obstacle="NameConflict", message="belongs to b")


def status(
    outcome: NetworkOutcome, before: dict[str, Any] | None = None, now: str = "1"
) -> dict[str, Any]:
    return network_status(outcome, {**NETWORK, "status": before or {}}, now=now)


def types(written: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(each["type"], each["status"], each["reason"]) for each in written["conditions"]]


def test_in_sync() -> None:
    written = status(GOOD)
    assert types(written) == [("Ready", "True", "InSync")]
    assert (written["nad"], written["configHash"], written["observedGeneration"]) == (
        "a",
        "0123",
        3,
    )


def test_obstacle_is_a_condition_of_its_own_and_the_reason_for_not_ready() -> None:
    written = status(BAD)
    assert types(written) == [
        ("Ready", "False", "NameConflict"),
        ("NameConflict", "True", "NameConflict"),
    ]
    assert "nad" not in written


def test_warning_does_not_stand_in_the_way() -> None:
    warning = ConditionState("Degraded", status=True, reason="NotLinkLocal", message="8.8.8.8")
    written = status(NetworkOutcome(nad="a", warnings=[warning]))
    assert types(written)[0] == ("Ready", "True", "InSync")
    assert types(written)[1] == ("Degraded", "True", "NotLinkLocal")


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
        (BAD, NetworkOutcome(obstacle="Invalid", message="x"), ("Warning", "Invalid")),
        (BAD, GOOD, ("Normal", "InSync")),
    ],
)
def test_transitions_are_events(
    before: NetworkOutcome | None, after: NetworkOutcome, expected: tuple[str, str] | None
) -> None:
    event = network_transition(status(before) if before else {}, status(after))
    assert (event and (event.type, event.reason)) == expected
    if event and before:
        was = status(before)["conditions"][0]["reason"]
        assert event.message == f"{after.message}; before: {was}"
