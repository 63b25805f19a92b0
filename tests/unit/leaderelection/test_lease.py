from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.runtime.leaderelection.lease import (
    Candidate,
    LeaderElectionConfig,
    LeaseState,
    ObservedRecord,
    leader_election_record,
    lease_state,
    observe,
    released_record,
    renew_deadline_after,
)

CONFIG = LeaderElectionConfig()
ME = Candidate("operator-a", "uid-a", "1")
OTHER = Candidate("operator-b", "uid-b", "2")
THEN, NOW = "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:02.000000Z"
HELD = {
    "holderIdentity": OTHER.identity,
    "leaseDurationSeconds": 15,
    "acquireTime": THEN,
    "renewTime": THEN,
    "leaseTransitions": 4,
}


def lease(spec: dict[str, Any] | None, version: str = "7") -> dict[str, Any]:
    body: dict[str, Any] = {"metadata": {"resourceVersion": version}}
    return body if spec is None else body | {"spec": spec}


@pytest.mark.parametrize(
    ("spec", "age", "state"),
    [
        pytest.param({}, 0, LeaseState.UNHELD, id="the chart's empty Lease"),
        pytest.param(HELD, 0, LeaseState.HELD_BY_OTHER, id="just renewed"),
        pytest.param(HELD, 14.9, LeaseState.HELD_BY_OTHER, id="almost expired"),
        pytest.param(HELD, 15, LeaseState.EXPIRED, id="not renewed for its duration"),
        pytest.param(HELD | {"holderIdentity": None}, 0, LeaseState.UNHELD, id="released"),
        pytest.param(HELD | {"holderIdentity": ""}, 0, LeaseState.UNHELD, id="emptied by hand"),
        pytest.param(
            HELD | {"holderIdentity": ME.identity}, 99, LeaseState.HELD_BY_SELF, id="mine"
        ),
        pytest.param(
            HELD | {"holderIdentity": "operator-a_uid-a_0"},
            0,
            LeaseState.UNHELD,
            id="my pod's last run",
        ),
        pytest.param(
            HELD | {"holderIdentity": "operator-a_uid-b_0"},
            0,
            LeaseState.HELD_BY_OTHER,
            id="a namesake",
        ),
        pytest.param(
            HELD | {"leaseDurationSeconds": 1}, 14, LeaseState.HELD_BY_OTHER, id="cut by hand"
        ),
        pytest.param(
            HELD | {"leaseDurationSeconds": 60}, 59, LeaseState.HELD_BY_OTHER, id="a longer promise"
        ),
        pytest.param(
            HELD | {"renewTime": "2199-01-01T00:00:00Z"}, 15, LeaseState.EXPIRED, id="clock"
        ),
    ],
)
def test_lease_state(spec: dict[str, Any], age: float, state: LeaseState) -> None:
    assert lease_state(observe(None, lease(spec), 100.0), ME, 100.0 + age, CONFIG) is state


def test_without_a_pod_nobody_is_followed() -> None:
    first, second = Candidate("laptop", "", "1"), Candidate("laptop", "", "2")
    observed = observe(None, lease(HELD | {"holderIdentity": first.identity}), 0.0)
    assert lease_state(observed, second, 1.0, CONFIG) is LeaseState.HELD_BY_OTHER


def test_age_counts_from_the_first_sight_of_the_same_record() -> None:
    observed = observe(None, lease(HELD, "7"), 10.0)
    again = observe(observed, lease(dict(HELD), "8"), 20.0)
    assert (again.observed_time, again.resource_version) == (10.0, "8")
    renewed = observe(again, lease(HELD | {"renewTime": NOW}, "9"), 21.0)
    assert renewed.observed_time == 21.0


def test_a_lease_that_vanishes_is_still_its_holders() -> None:
    observed = observe(observe(None, lease(HELD), 10.0), None, 20.0)
    assert (observed.resource_version, observed.holder_identity) == ("", OTHER.identity)
    assert lease_state(observed, ME, 24.9, CONFIG) is LeaseState.HELD_BY_OTHER
    assert lease_state(observed, ME, 25.0, CONFIG) is LeaseState.EXPIRED
    assert lease_state(observed, OTHER, 24.9, CONFIG) is LeaseState.HELD_BY_SELF


def test_no_lease_is_free() -> None:
    assert lease_state(observe(None, None, 0.0), ME, 0.0, CONFIG) is LeaseState.UNHELD


@pytest.mark.parametrize(
    ("spec", "transitions", "acquired"),
    [
        pytest.param({}, 0, NOW, id="the first holder"),
        pytest.param(HELD, 5, NOW, id="after another"),
        pytest.param(HELD | released_record(THEN), 5, NOW, id="released by another"),
        pytest.param(HELD | {"holderIdentity": ME.identity}, 4, THEN, id="a renewal"),
        pytest.param({"holderIdentity": ME.identity}, 0, NOW, id="the rest was removed by hand"),
    ],
)
def test_leader_election_record(spec: dict[str, Any], transitions: int, acquired: str) -> None:
    assert leader_election_record(observe(None, lease(spec), 0.0), ME, NOW, CONFIG) == {
        "holderIdentity": "operator-a_uid-a_1",
        "leaseDurationSeconds": 15,
        "acquireTime": acquired,
        "renewTime": NOW,
        "leaseTransitions": transitions,
    }


def test_what_is_released_is_free_at_once() -> None:
    observed = ObservedRecord(HELD | released_record(NOW), "8", 0.0)
    assert lease_state(observed, ME, 0.0, CONFIG) is LeaseState.UNHELD


def test_the_holder_stops_before_others_may_start() -> None:
    assert renew_deadline_after(5.0, CONFIG) == 5.0 + CONFIG.renew_deadline
    assert CONFIG.retry_period < CONFIG.renew_deadline < CONFIG.lease_duration
