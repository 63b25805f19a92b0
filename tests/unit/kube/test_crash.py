"""Unexpected exceptions: kept from everything else, logged once, counted."""

from __future__ import annotations

import asyncio
import logging

import pytest

from spidercoordinator.api.objects import Name, Object
from spidercoordinator.errors import LeadershipLostError
from spidercoordinator.kube.backoff import Backoff
from spidercoordinator.kube.crash import CrashHandler, restarting
from spidercoordinator.kube.store import Store

QUICK = Backoff(first=0.001, cap=0.001)


def fail(text: str) -> None:
    raise ValueError(text)


def errors(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [each for each in caplog.records if each.levelno >= logging.ERROR]


def test_the_same_exception_of_an_object_is_logged_once_and_always_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counted: list[str] = []
    crashes = CrashHandler(counted.append)
    for about, text in (("a", "x"), ("a", "x"), ("b", "x"), ("a", "y"), ("a", "y")):
        with crashes.guard("source", about):
            fail(text)
    assert counted == ["source"] * 5
    shown = [(vars(each)["object"], each.getMessage()) for each in errors(caplog)]
    assert [about for about, _ in shown] == ["a", "b", "a"]
    assert all(about in message for about, message in shown)
    assert "ValueError: x" in shown[0][1]
    assert errors(caplog)[0].exc_info


def test_a_message_is_bounded_and_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with CrashHandler().guard("source", "a"):
        fail("long\n" * 10_000)
    message = errors(caplog)[0].getMessage()
    assert len(message) < 500
    assert "\n" not in message


def test_what_is_remembered_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    crashes = CrashHandler()
    for number in range(3000):
        crashes.handle("source", str(number), ValueError())
    assert len(crashes._logged) < 2000
    crashes.handle("source", "2999", ValueError())
    assert len(errors(caplog)) == 3000


def test_cancellation_and_exit_are_no_crashes() -> None:
    for error in (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
        with pytest.raises(error), CrashHandler().guard("source", "a"):
            raise error


async def test_a_task_that_crashes_is_restarted() -> None:
    runs: list[int] = []

    async def work() -> None:
        runs.append(len(runs))
        if len(runs) < 4:
            raise RecursionError

    counted: list[str] = []
    await restarting("watch", work, CrashHandler(counted.append), QUICK)
    assert runs == [0, 1, 2, 3]
    assert counted == ["task"] * 3


async def test_what_a_task_raises_on_purpose_is_not_held_back() -> None:
    async def work() -> None:
        raise LeadershipLostError("lost")

    with pytest.raises(LeadershipLostError):
        await restarting("leader election", work, CrashHandler(), QUICK)


def test_an_event_handler_that_crashes_keeps_nothing_from_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counted: list[str] = []
    store = Store(kind="Thing", crashes=CrashHandler(counted.append))
    seen: list[Name] = []

    def crash(name: Name, before: Object | None, after: Object | None) -> None:
        raise KeyError(name, before, after)

    store.add_indexer(crash)
    store.add_event_handler(crash)
    store.add_event_handler(lambda name, _, __: seen.append(name))
    objects = [{"metadata": {"name": name, "resourceVersion": "1"}} for name in ("a", "b")]
    store.replace(objects, "1")
    store.observe_deletion(objects[0])
    assert seen == [("", "a"), ("", "b"), ("", "a")]
    assert set(store) == {("", "b")}
    assert len(counted) == 6
    assert "Thing a" in errors(caplog)[0].getMessage()
