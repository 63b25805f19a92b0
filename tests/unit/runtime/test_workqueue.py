"""Keyed, coalescing, bounded, patient."""

from __future__ import annotations

import asyncio

import pytest

from spidercoordinator.errors import ApiUnavailableError
from spidercoordinator.kube.backoff import Backoff
from spidercoordinator.runtime.workqueue import Key, Queue

QUICK = Backoff(first=0.01, cap=0.02, jitter=0.0)


class Worker:
    """Counts work; fails as often as told; blocks until released when asked."""

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
    worker = Worker()
    queue = Queue(worker)
    for _ in range(100):
        queue.add(("a",))
    queue.open()
    await until(lambda: worker.done)
    await queue.close()
    assert worker.done == [("a",)]


async def test_a_key_that_changes_during_its_work_is_worked_on_once_more() -> None:
    worker = Worker()
    worker.gate.clear()
    queue = Queue(worker)
    queue.open()
    queue.add(("a",))
    await until(lambda: worker.at_once == 1)
    for _ in range(10):
        queue.add(("a",))
    worker.gate.set()
    await until(lambda: len(worker.done) == 2)
    await queue.close()
    assert worker.most_at_once == 1
    assert len(worker.done) == 2


async def test_no_more_than_the_limit_at_a_time() -> None:
    worker = Worker()
    worker.gate.clear()
    queue = Queue(worker, limit=3)
    queue.open()
    for number in range(20):
        queue.add((str(number),))
    await until(lambda: worker.at_once == 3)
    assert queue.depth == 17
    worker.gate.set()
    await until(lambda: len(worker.done) == 20)
    await queue.close()
    assert worker.most_at_once == 3


async def test_a_single_change_goes_before_bulk_work() -> None:
    worker = Worker()
    queue = Queue(worker, limit=1)
    for number in range(10):
        queue.add((f"bulk-{number}",), bulk=True)
    queue.add(("single",))
    queue.open()
    await until(lambda: len(worker.done) == 11)
    await queue.close()
    assert worker.done[0] == ("single",)


async def test_a_failure_is_tried_again_until_it_works() -> None:
    worker = Worker(failures=3)
    queue = Queue(worker, backoff=QUICK)
    queue.open()
    queue.add(("a",))
    await until(lambda: worker.done)
    await queue.close()
    assert worker.tries == 4
    assert queue.retrying == 0


async def test_a_bug_in_one_object_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    worker = Worker(failures=1, error=ZeroDivisionError("a bug"))
    queue = Queue(worker, backoff=QUICK)
    queue.open()
    queue.add(("bad",))
    queue.add(("good",))
    await until(lambda: len(worker.done) == 2)
    await queue.close()
    assert "ZeroDivisionError" in caplog.text


async def test_the_server_s_wish_to_wait_is_granted() -> None:
    error = ApiUnavailableError("slow down", status=429, retry_after=0.2)
    worker = Worker(failures=1, error=error)
    queue = Queue(worker, backoff=QUICK)
    queue.open()
    began = asyncio.get_running_loop().time()
    queue.add(("a",))
    await until(lambda: worker.done)
    await queue.close()
    assert asyncio.get_running_loop().time() - began >= 0.2


async def test_events_that_follow_from_failing_make_no_hot_loop() -> None:
    tries = 0

    async def fail_and_cause_an_event(key: Key) -> None:
        nonlocal tries
        tries += 1
        queue.add(key)
        raise ApiUnavailableError("down")

    queue = Queue(fail_and_cause_an_event, backoff=QUICK)
    queue.open()
    queue.add(("a",))
    with pytest.raises(TimeoutError):
        await until(lambda: tries > 5, seconds=0.5)
    await queue.close()


async def test_later_is_not_now_and_sooner_wins() -> None:
    worker = Worker()
    queue = Queue(worker)
    queue.open()
    queue.add(("a",), after=60)
    queue.add(("a",), after=0.01)
    await until(lambda: worker.done)
    await queue.close()
    assert worker.done == [("a",)]


async def test_closing_ends_what_runs() -> None:
    worker = Worker()
    worker.gate.clear()
    queue = Queue(worker)
    queue.open()
    queue.add(("a",))
    await until(lambda: worker.at_once == 1)
    await queue.close()
    assert worker.at_once == 0
    assert worker.done == []
