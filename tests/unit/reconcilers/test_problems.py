"""Writes that are refused: which are told of, when, and until when."""

import pytest

from spidercoordinator.core.status.problems import (
    Problem,
    blocked_condition,
    blocked_transition,
)
from spidercoordinator.errors import ApiError, Refusal
from spidercoordinator.reconcilers.problems import Problems

KEY = ("SpiderMultusConfig", "ns", "a")


def error(refusal: Refusal = Refusal.DENIED, text: str = "no") -> ApiError:
    return ApiError(text, refusal=refusal)


def test_what_lasts_is_told_at_once_and_is_new_once() -> None:
    problems = Problems()
    told = Problem("NAD", "Denied", "no")
    assert problems.failed(KEY, "NAD", error()) == (told, True)
    assert problems.failed(KEY, "NAD", error(text="still no"))[1] is False
    assert problems.failed(KEY, "NAD", error(Refusal.INVALID))[1] is True
    assert [each.reason for each in problems.of(KEY)] == ["Invalid"]
    problems.failed(KEY, "labels", error())
    assert len(problems) == 2


@pytest.mark.parametrize("refusal", [each for each in Refusal if each.is_transient])
def test_what_likely_passes_is_told_when_it_does_not(refusal: Refusal) -> None:
    problems = Problems()
    results = [problems.failed(KEY, "NAD", error(refusal)) for _ in range(4)]
    assert [problem is not None for problem, _ in results] == [False, False, True, True]
    assert [new for _, new in results] == [False, False, True, False]


def test_a_write_that_gets_through_ends_it_and_begins_the_count_anew() -> None:
    problems = Problems()
    for _ in range(2):
        problems.failed(KEY, "NAD", error(Refusal.CONFLICT))
    problems.passed(KEY, "NAD")
    problems.passed(KEY, "never failed")
    assert problems.failed(KEY, "NAD", error(Refusal.CONFLICT)) == (None, False)
    assert problems.of(KEY) == []


def test_nothing_stays_of_a_key_that_is_gone_or_well() -> None:
    problems = Problems()
    problems.failed(KEY, "NAD", error())
    problems.forget(KEY)
    problems.failed(KEY, "labels", error())
    problems.passed(KEY, "labels")
    assert problems == Problems()


async def test_an_attempt_keeps_the_error_of_the_api_server_and_no_other() -> None:
    problems, failure = Problems(), error()

    async def refused() -> None:
        raise failure

    async def crashes() -> None:
        raise ZeroDivisionError

    async def passes() -> None:
        return None

    assert await problems.attempt(KEY, "labels", refused) is failure
    assert [each.what for each in problems.of(KEY)] == ["labels"]
    assert await problems.attempt(KEY, "labels", passes) is None
    assert problems.of(KEY) == []
    with pytest.raises(ZeroDivisionError):
        await problems.attempt(KEY, "labels", crashes)


def test_the_condition_tells_of_all_and_transitions_are_those_of_its_reason() -> None:
    assert blocked_condition([]) == []
    [state] = blocked_condition([Problem("b", "Denied", "no"), Problem("a", "Invalid", "bad")])
    assert (state.reason, state.message) == ("Invalid", "a: bad. b: no")

    def status(reason: str, message: str = "") -> dict[str, object]:
        return {"conditions": [{"type": "WritesBlocked", "reason": reason, "message": message}]}

    begun = blocked_transition({}, status("Denied", "no"))
    assert begun is not None
    assert (begun.type, begun.reason, begun.message) == ("Warning", "WritesBlockedDenied", "no")
    assert blocked_transition(status("Denied"), status("Denied", "other words")) is None
    ended = blocked_transition(status("Denied"), {"conditions": []})
    assert ended is not None
    assert (ended.type, ended.reason) == ("Normal", "WritesPassed")
    assert blocked_transition({}, {}) is None
