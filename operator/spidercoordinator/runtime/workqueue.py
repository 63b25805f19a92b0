"""The queue between events and work: make it so, for a key, at least once after the last event.

- Keyed and coalescing: a key that waits already is not added again; a key that is being worked on
  is worked on once more afterwards, never twice at the same time.
- Two lanes: bulk work (a changed SpiderCoordinator concerns every network) gives way to single
  changes, so that one edit is not stuck behind a thousand re-renders.
- Bounded: no more than `limit` keys at a time.
- A failure is retried after a back-off of that key alone, with jitter, for as long as it fails.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from spidercoordinator.errors import ApiError, SpiderCoordinatorError
from spidercoordinator.kube.backoff import Backoff

logger = logging.getLogger(__name__)

Key = tuple[str, ...]
"""Kind first, then what names the object: `("SpiderMultusConfig", "kube-system", "macvlan")`."""

_LOUD_EVERY: Final = 10
"""A key that keeps failing is logged at its first failure and then at every tenth."""

_STUBBORN: Final = 4
"""Failures in a row after which a new event no longer means an immediate try..."""
_CALM: Final = 1.0
"""...but one after so many seconds."""


class Observer(Protocol):
    """Who counts what the queue does."""

    def started(self, key: Key) -> None:
        """Work on a key began."""

    def ended(self, key: Key, seconds: float, *, failed: bool) -> None:
        """Work on a key ended."""


class _Silent:
    def started(self, key: Key) -> None:
        """Nobody counts."""

    def ended(self, key: Key, seconds: float, *, failed: bool) -> None:
        """Nobody counts."""


@dataclass(slots=True)
class Queue:
    """See the module. `work` is called with one key at a time per key.

    Attributes:
        work: makes it so for a key; raising means: again later.
        limit: keys worked on at the same time.
        backoff: delays between the tries of one key.
        observer: who counts.
    """

    work: Callable[[Key], Coroutine[None, None, None]]
    limit: int = 32
    backoff: Backoff = field(default_factory=Backoff)
    observer: Observer = field(default_factory=_Silent)
    _lanes: tuple[deque[Key], deque[Key]] = field(default_factory=lambda: (deque(), deque()))
    _waiting: set[Key] = field(default_factory=set)
    _running: dict[Key, float] = field(default_factory=dict)
    _again: dict[Key, bool] = field(default_factory=dict)
    _timers: dict[Key, asyncio.TimerHandle] = field(default_factory=dict)
    _failures: dict[Key, int] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _open: bool = False

    def add(self, key: Key, *, after: float = 0.0, bulk: bool = False) -> None:
        """Have the key worked on, now or `after` seconds; sooner wins over later."""
        if self._failures.get(key, 0) >= _STUBBORN:
            # What fails may itself cause the events that bring it back: no hot loop.
            after = max(after, _CALM)
        if after > 0:
            self._add_later(key, after, bulk=bulk)
            return
        if timer := self._timers.pop(key, None):
            timer.cancel()
        if key in self._running:
            self._again[key] = bulk and self._again.get(key, True)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._lanes[bulk].append(key)
            self._start()

    def open(self) -> None:
        """Begin to work; keys added before have waited."""
        self._open = True
        self._start()

    async def close(self) -> None:
        """Stop: nothing new is begun, what runs is cancelled."""
        self._open = False
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def depth(self) -> int:
        """Keys that wait to be worked on now."""
        return len(self._waiting)

    @property
    def busy(self) -> int:
        """Keys that wait or are worked on now."""
        return len(self._waiting) + len(self._running)

    @property
    def retrying(self) -> int:
        """Keys whose last try failed."""
        return len(self._failures)

    def oldest(self) -> float:
        """Seconds for which the longest running work has been running."""
        if not self._running:
            return 0.0
        return asyncio.get_running_loop().time() - min(self._running.values())

    def forget(self, key: Key) -> None:
        """Forget past failures of a key, when its object changed and deserves a fresh start."""
        self._failures.pop(key, None)

    def _add_later(self, key: Key, after: float, *, bulk: bool) -> None:
        if key in self._waiting:
            return
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        if timer and timer.when() <= loop.time() + after:
            return
        if timer:
            timer.cancel()
        self._timers[key] = loop.call_later(after, self._due, key, bulk)

    def _due(self, key: Key, bulk: bool) -> None:
        del self._timers[key]
        self.add(key, bulk=bulk)

    def _start(self) -> None:
        single, bulk = self._lanes
        while self._open and len(self._running) < self.limit and (single or bulk):
            key = (single or bulk).popleft()
            self._waiting.discard(key)
            self._running[key] = asyncio.get_running_loop().time()
            self.observer.started(key)
            task = asyncio.create_task(self.work(key))
            self._tasks.add(task)
            task.add_done_callback(partial(self._ended, key))

    def _ended(self, key: Key, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        seconds = asyncio.get_running_loop().time() - self._running.pop(key)
        again = self._again.pop(key, None)
        error = None if task.cancelled() else task.exception()
        self.observer.ended(key, seconds, failed=error is not None)
        if error is None:
            self._failures.pop(key, None)
        else:
            self._retry(key, error)
        if again is not None and self._open:
            # A newer event: what failed may be mended, so this try does not wait.
            self.add(key, bulk=again)
        self._start()

    def _retry(self, key: Key, error: BaseException) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        delay = self.backoff.delay(failures)
        if isinstance(error, ApiError):
            delay = max(delay, error.retry_after)
        if failures % _LOUD_EVERY == 1:
            # A bug in the work on one object must not stop the work on all others: it is shown
            # with its trace and tried again like everything else.
            known = isinstance(error, SpiderCoordinatorError)
            logger.warning(
                "failed %d times, again in %.1f s: %s",
                failures,
                delay,
                error if known else repr(error),
                extra={"key": "/".join(key)},
                exc_info=None if known else error,
            )
        if self._open:
            self.add(key, after=delay, bulk=True)
