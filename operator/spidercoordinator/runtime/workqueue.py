"""The work queue between events and reconciliation, after client-go's util/workqueue.

A key that is added is reconciled at least once after it was added last.

- A key that waits already is not added again; one that is being processed is marked dirty and
  processed once more afterwards, never twice at the same time.
- Two priorities: what concerns all objects (a changed SpiderCoordinator concerns every network)
  gives way to single changes, so that one edit does not wait behind a thousand re-renders. A key
  that waits with low priority is raised when it is added with normal priority. Beside keys of
  normal priority only a few of low priority are processed: the API server, too, serves what is
  asked of it at the same time in turn.
- No more than `concurrency` keys are processed at a time.
- A failed key is added again after an exponential back-off of its own, with jitter, without end.

docs/decisions/0011 puts it beside client-go's queue.
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


def describe(key: Key) -> str:
    """How messages name the object of a key: `SpiderMultusConfig kube-system/macvlan`."""
    return " ".join([key[0], "/".join(key[1:])])


_LOG_EVERY: Final = 10
"""A key that keeps failing is logged at its first failure and then at every tenth."""

_LOW_BESIDE_NORMAL: Final = 4
"""Keys of low priority that are processed at a time while one of normal priority is."""

_RATE_LIMITED_AFTER: Final = 4
"""Failures in a row after which an added key is no longer processed at once..."""
_RATE_LIMIT: Final = 1.0
"""...but after so many seconds."""


class QueueMetrics(Protocol):
    """What counts the reconciliations."""

    def reconciled(self, key: Key, seconds: float, *, failed: bool) -> None:
        """A key was processed."""


class _NoMetrics:
    def reconciled(self, key: Key, seconds: float, *, failed: bool) -> None:
        """Count nothing."""


@dataclass(slots=True)
class WorkQueue:
    """See the module.

    Attributes:
        reconcile: brings the object of a key to its desired state; raising means: again later.
        concurrency: keys that are processed at the same time.
        backoff: delays between the retries of one key.
        metrics: what counts the reconciliations.
    """

    reconcile: Callable[[Key], Coroutine[None, None, None]]
    concurrency: int = 32
    backoff: Backoff = field(default_factory=Backoff)
    metrics: QueueMetrics = field(default_factory=_NoMetrics)
    _waiting: dict[Key, bool] = field(default_factory=dict)
    """Whether only with low priority."""
    _ready: tuple[deque[Key], deque[Key]] = field(default_factory=lambda: (deque(), deque()))
    """The waiting keys in order, of normal and of low priority."""
    _processing: dict[Key, float] = field(default_factory=dict)
    """Since when, by the loop's clock."""
    _processing_low: set[Key] = field(default_factory=set)
    """Those of them that were begun with low priority."""
    _dirty: dict[Key, bool] = field(default_factory=dict)
    """Keys added while they were processed, and whether only with low priority."""
    _delayed: dict[Key, asyncio.TimerHandle] = field(default_factory=dict)
    _failures: dict[Key, int] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _started: bool = False

    def add(self, key: Key, *, after: float = 0.0, low_priority: bool = False) -> None:
        """Have the key processed, now or `after` seconds; sooner wins over later."""
        if self._failures.get(key, 0) >= _RATE_LIMITED_AFTER:
            # What fails may itself cause the events that add it again: no hot loop.
            after = max(after, _RATE_LIMIT)
        if after > 0:
            self._add_after(key, after, low_priority=low_priority)
        else:
            self._enqueue(key, low_priority=low_priority)

    def start(self) -> None:
        """Begin to process; keys added before have waited."""
        self._started = True
        self._process()

    async def shut_down(self) -> None:
        """Process nothing more; what is being processed is cancelled."""
        self._started = False
        for timer in self._delayed.values():
            timer.cancel()
        self._delayed.clear()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def forget(self, key: Key) -> None:
        """Forget past failures of a key, when its object changed and deserves a fresh start."""
        self._failures.pop(key, None)

    @property
    def length(self) -> int:
        """Keys that wait to be processed now."""
        return len(self._waiting)

    def has_urgent(self, *, beside: Key) -> bool:
        """Whether a key of normal priority, other than this one, waits or is being processed."""
        processing = len(self._processing) - len(self._processing_low)
        itself = beside in self._processing and beside not in self._processing_low
        return bool(self._ready[False]) or processing > itself

    @property
    def retrying(self) -> int:
        """Keys whose last reconciliation failed."""
        return len(self._failures)

    def longest_running(self) -> float:
        """Seconds for which the longest running reconciliation has been running."""
        if not self._processing:
            return 0.0
        return asyncio.get_running_loop().time() - min(self._processing.values())

    def _enqueue(self, key: Key, *, low_priority: bool) -> None:
        if timer := self._delayed.pop(key, None):
            timer.cancel()
        if key in self._processing:
            self._dirty[key] = low_priority and self._dirty.get(key, True)
        elif key not in self._waiting:
            self._waiting[key] = low_priority
            self._ready[low_priority].append(key)
            self._process()
        elif self._waiting[key] and not low_priority:
            self._waiting[key] = False
            normal, low = self._ready
            low.remove(key)
            normal.append(key)

    def _add_after(self, key: Key, after: float, *, low_priority: bool) -> None:
        if key in self._waiting:
            return
        loop = asyncio.get_running_loop()
        timer = self._delayed.get(key)
        if timer and timer.when() <= loop.time() + after:
            return
        if timer:
            timer.cancel()
        self._delayed[key] = loop.call_later(after, self._delay_over, key, low_priority)

    def _delay_over(self, key: Key, low_priority: bool) -> None:
        del self._delayed[key]
        # It has waited: the rate limit of `add` would put it off again and again.
        self._enqueue(key, low_priority=low_priority)

    def _process(self) -> None:
        while self._started and (key := self._next()) is not None:
            self._processing[key] = asyncio.get_running_loop().time()
            if self._waiting.pop(key):
                self._processing_low.add(key)
            task = asyncio.create_task(self.reconcile(key))
            self._tasks.add(task)
            task.add_done_callback(partial(self._done, key))

    def _next(self) -> Key | None:
        """Take the key to process now, None where there is none, or none may be."""
        normal, low = self._ready
        if len(self._processing) >= self.concurrency:
            return None
        if normal:
            return normal.popleft()
        alone = len(self._processing) == len(self._processing_low)
        if low and (alone or len(self._processing_low) < _LOW_BESIDE_NORMAL):
            return low.popleft()
        return None

    def _done(self, key: Key, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        seconds = asyncio.get_running_loop().time() - self._processing.pop(key)
        self._processing_low.discard(key)
        low_priority = self._dirty.pop(key, None)
        error = None if task.cancelled() else task.exception()
        self.metrics.reconciled(key, seconds, failed=error is not None)
        if error is None:
            if failures := self._failures.pop(key, 0):
                text = "reconciled after %d failures"
                logger.info(text, failures, extra={"object": describe(key)})
        else:
            self._retry(key, error)
        if low_priority is not None and self._started:
            # A newer event: what failed may be mended, so this one does not wait.
            self.add(key, low_priority=low_priority)
        self._process()

    def _retry(self, key: Key, error: BaseException) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        delay = self.backoff.delay(failures)
        if isinstance(error, ApiError):
            delay = max(delay, error.retry_after)
        if failures % _LOG_EVERY == 1:
            # A bug that one object meets must not stop the reconciliation of all others: it is
            # logged with its traceback and retried like everything else.
            known = isinstance(error, SpiderCoordinatorError)
            logger.warning(
                "reconciliation failed (%d in a row), retry in %.1f s: %s",
                failures,
                delay,
                error if known else repr(error),
                extra={"object": describe(key)},
                exc_info=None if known else error,
            )
        if self._started:
            self.add(key, after=delay, low_priority=True)
