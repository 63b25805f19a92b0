"""The work queue: keyed, coalescing, bounded, with priorities and back-off."""

from __future__ import annotations

import asyncio

import pytest

from spidercoordinator.errors import ApiUnavailableError
from spidercoordinator.kube.backoff import Backoff
from spidercoordinator.runtime.workqueue import (
    _LOW_BESIDE_NORMAL,
    _RATE_LIMITED_AFTER,
    Key,
    WorkQueue,
)

QUICK = Backoff(first=0.01, cap=0.02, jitter=0.0)


class Reconciler:
    """Counts its calls; fails as often as told; blocks until released when asked."""

    def __init__(self, failures: int = 0, error: Exception | None = None) -> None:
        self.done: list[Key] = []
        self.tries = 0
        self.at_once = self.most_at_once = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self._failures, self._error = failures, error or ApiUnavailableError("down")

    async def __call__(self, key: Key) -> None:
        self.tries += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.gate.wait()
            if self.tries <= self._failures:
                raise self._error
            self.done.append(key)
        finally:
            self.at_once -= 1


async def until(condition: object, seconds: float = 5.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the queue has no event for each state
            await asyncio.sleep(0.001)


async def test_a_key_that_waits_is_not_added_again() -> None:
    reconciler = Reconciler()
    queue = WorkQueue(reconciler)
    for _ in range(100):
        queue.add(("a",))
    queue.start()
    await until(lambda: reconciler.done)
    await queue.shut_down()
    assert reconciler.done == [("a",)]


async def test_a_key_added_while_it_is_processed_is_processed_once_more() -> None:
    reconciler = Reconciler()
    reconciler.gate.clear()
    queue = WorkQueue(reconciler)
    queue.start()
    queue.add(("a",))
    await until(lambda: reconciler.at_once == 1)
    for _ in range(10):
        queue.add(("a",))
    reconciler.gate.set()
    await until(lambda: len(reconciler.done) == 2)
    await queue.shut_down()
    assert reconciler.most_at_once == 1
    assert len(reconciler.done) == 2


async def test_no_more_than_the_concurrency_at_a_time() -> None:
    reconciler = Reconciler()
    reconciler.gate.clear()
    queue = WorkQueue(reconciler, concurrency=3)
    queue.start()
    for number in range(20):
        queue.add((str(number),))
    await until(lambda: reconciler.at_once == 3)
    assert queue.length == 17
    reconciler.gate.set()
    await until(lambda: len(reconciler.done) == 20)
    await queue.shut_down()
    assert reconciler.most_at_once == 3


async def test_a_single_change_goes_before_low_priority() -> None:
    reconciler = Reconciler()
    queue = WorkQueue(reconciler, concurrency=1)
    for number in range(10):
        queue.add((f"low-{number}",), low_priority=True)
    queue.add(("single",))
    queue.start()
    await until(lambda: len(reconciler.done) == 11)
    await queue.shut_down()
    assert reconciler.done[0] == ("single",)


async def test_little_of_low_priority_is_processed_beside_a_single_change() -> None:
    reconciler = Reconciler()
    reconciler.gate.clear()
    queue = WorkQueue(reconciler, concurrency=20)
    queue.start()
    queue.add(("single",))
    for number in range(30):
        queue.add((f"low-{number}",), low_priority=True)
    await until(lambda: reconciler.at_once == 1 + _LOW_BESIDE_NORMAL)
    await asyncio.sleep(0)
    assert reconciler.at_once == 1 + _LOW_BESIDE_NORMAL
    reconciler.gate.set()
    await until(lambda: len(reconciler.done) == 31)
    await queue.shut_down()


async def test_low_priority_alone_uses_all_places() -> None:
    reconciler = Reconciler()
    reconciler.gate.clear()
    queue = WorkQueue(reconciler, concurrency=20)
    queue.start()
    for number in range(30):
        queue.add((f"low-{number}",), low_priority=True)
    await until(lambda: reconciler.at_once == 20)
    reconciler.gate.set()
    await until(lambda: len(reconciler.done) == 30)
    await queue.shut_down()


async def test_urgent_is_what_waits_or_is_processed_with_normal_priority() -> None:
    reconciler = Reconciler()
    reconciler.gate.clear()
    queue = WorkQueue(reconciler, concurrency=2)
    queue.start()
    queue.add(("low",), low_priority=True)
    await until(lambda: reconciler.at_once == 1)
    assert not queue.has_urgent(beside=("other",))
    queue.add(("single",))
    await until(lambda: reconciler.at_once == 2)
    assert queue.has_urgent(beside=("low",))
    assert not queue.has_urgent(beside=("single",))
    queue.add(("waits",))
    assert queue.has_urgent(beside=("single",))
    reconciler.gate.set()
    await until(lambda: len(reconciler.done) == 3)
    assert not queue.has_urgent(beside=("other",))
    await queue.shut_down()


async def test_a_waiting_key_is_raised_when_it_changes() -> None:
    reconciler = Reconciler()
    queue = WorkQueue(reconciler, concurrency=1)
    for number in range(10):
        queue.add((str(number),), low_priority=True)
    queue.add(("7",))
    queue.add(("7",), low_priority=True)
    assert queue.length == 10
    queue.start()
    await until(lambda: len(reconciler.done) == 10)
    await queue.shut_down()
    assert [key[0] for key in reconciler.done] == ["7", *"012345689"]


async def test_a_failure_is_tried_again_until_it_works() -> None:
    reconciler = Reconciler(failures=3)
    queue = WorkQueue(reconciler, backoff=QUICK)
    queue.start()
    queue.add(("a",))
    await until(lambda: reconciler.done)
    await queue.shut_down()
    assert reconciler.tries == 4
    assert queue.retrying == 0


async def test_a_key_that_keeps_failing_is_tried_again_until_it_works() -> None:
    reconciler = Reconciler(failures=_RATE_LIMITED_AFTER + 1)
    queue = WorkQueue(reconciler, backoff=QUICK)
    queue.start()
    queue.add(("key",))
    await until(lambda: reconciler.done == [("key",)], seconds=30)
    await until(lambda: queue.retrying == 0)
    await queue.shut_down()


async def test_a_bug_in_one_object_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    reconciler = Reconciler(failures=1, error=ZeroDivisionError("a bug"))
    queue = WorkQueue(reconciler, backoff=QUICK)
    queue.start()
    queue.add(("bad",))
    queue.add(("good",))
    await until(lambda: len(reconciler.done) == 2)
    await queue.shut_down()
    assert "ZeroDivisionError" in caplog.text


async def test_the_server_s_wish_to_wait_is_granted() -> None:
    error = ApiUnavailableError("slow down", status=429, retry_after=0.2)
    reconciler = Reconciler(failures=1, error=error)
    queue = WorkQueue(reconciler, backoff=QUICK)
    queue.start()
    began = asyncio.get_running_loop().time()
    queue.add(("a",))
    await until(lambda: reconciler.done)
    await queue.shut_down()
    assert asyncio.get_running_loop().time() - began >= 0.2


async def test_events_that_follow_from_failing_make_no_hot_loop() -> None:
    tries = 0

    async def fail_and_cause_an_event(key: Key) -> None:
        nonlocal tries
        tries += 1
        queue.add(key)
        raise ApiUnavailableError("down")

    queue = WorkQueue(fail_and_cause_an_event, backoff=QUICK)
    queue.start()
    queue.add(("a",))
    with pytest.raises(TimeoutError):
        await until(lambda: tries > 5, seconds=0.5)
    await queue.shut_down()


async def test_later_is_not_now_and_sooner_wins() -> None:
    reconciler = Reconciler()
    queue = WorkQueue(reconciler)
    queue.start()
    queue.add(("a",), after=60)
    queue.add(("a",), after=0.01)
    await until(lambda: reconciler.done)
    await queue.shut_down()
    assert reconciler.done == [("a",)]


async def test_shutting_down_ends_what_runs() -> None:
    reconciler = Reconciler()
    reconciler.gate.clear()
    queue = WorkQueue(reconciler)
    queue.start()
    queue.add(("a",))
    await until(lambda: reconciler.at_once == 1)
    await queue.shut_down()
    assert reconciler.at_once == 0
    assert reconciler.done == []
