from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.runtime.leaderelection.lease import (
    TERMS,
    Candidate,
    Sighting,
    Standing,
    claimed,
    judge,
    leads_until,
    released,
    see,
)

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
    ("spec", "age", "standing"),
    [
        pytest.param({}, 0, Standing.FREE, id="the chart's empty Lease"),
        pytest.param(HELD, 0, Standing.HELD, id="just renewed"),
        pytest.param(HELD, 14.9, Standing.HELD, id="almost expired"),
        pytest.param(HELD, 15, Standing.EXPIRED, id="not renewed for its duration"),
        pytest.param(HELD | {"holderIdentity": None}, 0, Standing.FREE, id="given back"),
        pytest.param(HELD | {"holderIdentity": ""}, 0, Standing.FREE, id="emptied by hand"),
        pytest.param(HELD | {"holderIdentity": ME.identity}, 99, Standing.MINE, id="mine"),
        pytest.param(
            HELD | {"holderIdentity": "operator-a_uid-a_0"},
            0,
            Standing.FREE,
            id="my pod's last run",
        ),
        pytest.param(
            HELD | {"holderIdentity": "operator-a_uid-b_0"}, 0, Standing.HELD, id="a namesake"
        ),
        pytest.param(HELD | {"leaseDurationSeconds": 1}, 14, Standing.HELD, id="cut by hand"),
        pytest.param(HELD | {"leaseDurationSeconds": 60}, 59, Standing.HELD, id="a longer promise"),
        pytest.param(
            HELD | {"renewTime": "2199-01-01T00:00:00Z"}, 15, Standing.EXPIRED, id="clock"
        ),
    ],
)
def test_standing(spec: dict[str, Any], age: float, standing: Standing) -> None:
    assert judge(see(None, lease(spec), 100.0), ME, 100.0 + age) is standing


def test_without_a_pod_nobody_is_followed() -> None:
    first, second = Candidate("laptop", "", "1"), Candidate("laptop", "", "2")
    seen = see(None, lease(HELD | {"holderIdentity": first.identity}), 0.0)
    assert judge(seen, second, 1.0) is Standing.HELD


def test_age_counts_from_the_first_sight_of_the_same_record() -> None:
    seen = see(None, lease(HELD, "7"), 10.0)
    again = see(seen, lease(dict(HELD), "8"), 20.0)
    assert (again.since, again.version) == (10.0, "8")
    renewed = see(again, lease(HELD | {"renewTime": NOW}, "9"), 21.0)
    assert renewed.since == 21.0


def test_a_lease_that_vanishes_is_still_its_holders() -> None:
    seen = see(see(None, lease(HELD), 10.0), None, 20.0)
    assert (seen.version, seen.holder) == ("", OTHER.identity)
    assert judge(seen, ME, 24.9) is Standing.HELD
    assert judge(seen, ME, 25.0) is Standing.EXPIRED
    assert judge(seen, OTHER, 24.9) is Standing.MINE


def test_no_lease_is_free() -> None:
    assert judge(see(None, None, 0.0), ME, 0.0) is Standing.FREE


@pytest.mark.parametrize(
    ("spec", "transitions", "acquired"),
    [
        pytest.param({}, 0, NOW, id="the first holder"),
        pytest.param(HELD, 5, NOW, id="after another"),
        pytest.param(HELD | released(THEN), 5, NOW, id="given back by another"),
        pytest.param(HELD | {"holderIdentity": ME.identity}, 4, THEN, id="a renewal"),
        pytest.param({"holderIdentity": ME.identity}, 0, NOW, id="the rest was removed by hand"),
    ],
)
def test_claimed(spec: dict[str, Any], transitions: int, acquired: str) -> None:
    assert claimed(see(None, lease(spec), 0.0), ME, NOW) == {
        "holderIdentity": "operator-a_uid-a_1",
        "leaseDurationSeconds": 15,
        "acquireTime": acquired,
        "renewTime": NOW,
        "leaseTransitions": transitions,
    }


def test_what_is_released_is_free_at_once() -> None:
    seen = Sighting(HELD | released(NOW), "8", 0.0)
    assert judge(seen, ME, 0.0) is Standing.FREE


def test_the_holder_stops_before_others_may_start() -> None:
    assert leads_until(5.0) == 5.0 + TERMS.renew_deadline
    assert TERMS.retry_period < TERMS.renew_deadline < TERMS.duration
