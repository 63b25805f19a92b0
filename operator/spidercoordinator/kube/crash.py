"""What becomes of an exception that nobody expected (apimachinery: util/runtime, util/wait).

Objects come from others, and code has bugs. Where one object, one handler or one task is worked on,
`CrashHandler.guard` keeps its exception from everything else: it is logged once with the object's
name and its traceback, counted, and what comes next goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

from spidercoordinator.errors import SpiderCoordinatorError
from spidercoordinator.kube.backoff import Backoff

logger = logging.getLogger(__name__)

_REMEMBERED: Final = 1024
"""Exceptions known to be logged; the oldest is forgotten, and logged again when it recurs."""
_LASTED: Final = 60.0
"""Seconds after which a task that was restarted counts as well again."""


def _count_nothing(_: str) -> None:
    pass


class CrashHandler:
    """Logs and counts unexpected exceptions.

    Args:
        count: is called with the place of each of them, a word for a metric's label.
    """

    def __init__(self, count: Callable[[str], None] = _count_nothing) -> None:
        self._count = count
        self._logged: OrderedDict[tuple[str, str], str] = OrderedDict()

    @contextmanager
    def guard(self, place: str, about: str) -> Iterator[None]:
        """Keep an exception of the body from whoever called it.

        Args:
            place: what was done, a word for a metric's label.
            about: the object that it was done with, such as `ConfigMap kube-system/kubeadm-config`.
        """
        try:
            yield
        except Exception as error:  # noqa: BLE001 - that is the purpose
            self.handle(place, about, error)

    def handle(self, place: str, about: str, error: BaseException) -> None:
        """Count an exception, and log it unless the same one was logged of the same object."""
        self._count(place)
        key, text = (place, about), repr(error)
        known = self._logged.pop(key, None)
        self._logged[key] = text
        if len(self._logged) > _REMEMBERED:
            self._logged.popitem(last=False)
        level = logging.DEBUG if known == text else logging.ERROR
        # The name of the class and a bounded text: the repr may hold the whole object.
        logger.log(
            level,
            "unexpected error, a bug, in %s of %s, which is left out: %s",
            place,
            about,
            brief(error),
            extra={"object": about},
            exc_info=error,
        )


def brief(error: BaseException) -> str:
    """An exception on one line of bounded length."""
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:300]


async def restarting(
    name: str,
    work: Callable[[], Awaitable[None]],
    crashes: CrashHandler,
    backoff: Backoff | None = None,
) -> None:
    """Run an endless task, and run it again after a back-off whenever it crashes (BackoffUntil).

    Returns once it returns.

    Raises:
        SpiderCoordinatorError: what the task raised on purpose is not held back.
    """
    backoff, failures = backoff or Backoff(first=1.0), 0
    loop = asyncio.get_running_loop()
    while True:
        started = loop.time()
        try:
            return await work()
        except SpiderCoordinatorError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other tasks go on
            crashes.handle("task", name, error)
        failures = 1 if loop.time() - started > _LASTED else failures + 1
        await asyncio.sleep(backoff.delay(failures))
