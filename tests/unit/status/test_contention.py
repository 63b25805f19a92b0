"""Which writes are made at once and which wait: tables with the time passed in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spidercoordinator.core.status.contention import (
    BURST,
    EVERY,
    History,
    calm_after,
    delay,
    digest_of,
    rivals,
    written,
)

FIGHT = [("a", 0.0)] * (BURST + 1)


def after(writes: list[tuple[str, float]]) -> History:
    history = History(at=writes[0][1]) if writes else History()
    for digest, now in writes:
        history = written(history, digest, now)
    return history


@pytest.mark.parametrize(
    ("writes", "digest", "now", "wait"),
    [
        ([], "a", 0.0, 0.0),
        ([("a", 0.0)], "a", 0.0, 0.0),
        (FIGHT[:-1], "a", 0.0, 0.0),
        (FIGHT, "a", 0.0, EVERY),
        (FIGHT, "a", 45.0, 15.0),
        (FIGHT, "a", EVERY, 0.0),
        ([*FIGHT, ("a", EVERY)], "a", EVERY, EVERY),
        ([*FIGHT, ("a", EVERY)], "a", 2 * EVERY, 0.0),
        # What is new is written at once, whatever was before.
        (FIGHT, "b", 0.0, 0.0),
        # What alternates is no news.
        ([("a", 0.0), ("b", 0.0)] * 4, "a", 0.0, EVERY),
        ([(f"{number}", 0.0) for number in range(99)], "99", 0.0, 0.0),
        # A clock that went back adds nothing and takes nothing.
        ([("a", 100.0)] * (BURST + 1), "a", 0.0, EVERY),
    ],
)
def test_delay(writes: list[tuple[str, float]], digest: str, now: float, wait: float) -> None:
    assert delay(after(writes), digest, now) == pytest.approx(wait)


def test_other_words_are_no_news() -> None:
    history = History()
    for number in range(BURST):
        assert delay(history, f"{number}", 0.0, wording=True) == 0
        history = written(history, f"{number}", 0.0, wording=True)
    assert delay(history, "more", 0.0, wording=True) == EVERY
    assert delay(history, "more", 0.0) == 0


@given(st.lists(st.floats(0, 5), max_size=400))
def test_a_rival_that_never_tires_gets_one_write_a_minute(pauses: list[float]) -> None:
    history, now, made = History(), 0.0, 0
    for pause in pauses:
        now += pause
        if not delay(history, "a", now):
            history = written(history, "a", now)
            made += 1
    assert made <= 1 + BURST + now / EVERY + 1e-6


def test_a_contest_ends_a_minute_after_the_last_write_that_stayed() -> None:
    history = after(FIGHT)
    assert calm_after(history, 0.0) == 0
    contested = History(history.digests, history.tokens, history.at, contested=True)
    assert calm_after(contested, 0.0) == EVERY
    assert calm_after(contested, 59.0) == pytest.approx(1.0)
    assert calm_after(contested, EVERY) == 0
    again = written(contested, "a", EVERY)
    assert again.contested
    assert calm_after(again, EVERY) == EVERY


CONFIG: dict[str, Any] = {"f:spec": {"f:config": {}}}


@pytest.mark.parametrize(
    ("entries", "who"),
    [
        ([{"manager": "us", "fieldsV1": CONFIG}, {"manager": "argo", "fieldsV1": CONFIG}], "argo"),
        (
            [
                {"manager": "argo", "fieldsV1": CONFIG, "time": "1"},
                {"manager": "other", "fieldsV1": {"f:metadata": {}}, "time": "2"},
            ],
            "field manager argo",
        ),
        (
            [
                {"manager": "first", "fieldsV1": {"f:metadata": {}}, "time": "1"},
                {"manager": "last", "fieldsV1": {"f:metadata": {}}, "time": "2"},
            ],
            "field manager last",
        ),
        ([{"manager": "us", "fieldsV1": CONFIG}], "is field manager us as well"),
        ([], "removes or deletes it"),
        ([{"manager": "odd", "fieldsV1": "text"}, {"manager": "none"}], "odd"),
    ],
)
def test_who_writes_as_well(entries: list[dict[str, Any]], who: str) -> None:
    assert who in rivals(entries, "us", [("spec", "config")])


def test_a_digest_is_of_what_is_the_case_not_of_how_it_is_put() -> None:
    def status(**changes: Any) -> dict[str, Any]:
        condition = {"type": "Ready", "status": "False", "reason": "Invalid", "message": "a"}
        condition |= {"lastTransitionTime": "1"} | changes.pop("condition", {})
        return {"nad": "x", "reason": "long", "conditions": [condition]} | changes

    same = digest_of(status(), "reason")
    assert digest_of(status(condition={"message": "b"}), "reason") == same
    assert digest_of(status(condition={"lastTransitionTime": "2"}), "reason") == same
    assert digest_of(status(reason="other"), "reason") == same
    assert digest_of(status(reason="other")) != digest_of(status())
    assert digest_of(status(condition={"status": "True"}), "reason") != same
    assert digest_of(status(nad="y"), "reason") != same
    assert digest_of({}) == digest_of({"conditions": []})
