"""When the webhook's certificate is looked at: whenever Secret or configuration change.

Who deletes the Secret, or edits the caBundle, finds it mended a moment later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from spidercoordinator.errors import ApiNotFoundError, SpiderCoordinatorError
from spidercoordinator.kube.backoff import Backoff
from spidercoordinator.kube.crash import CrashHandler, restarting
from spidercoordinator.kube.reflector import Bookmark, Reflector, Selection, WatchFailed
from spidercoordinator.kube.resource import (
    SECRETS,
    VALIDATING_WEBHOOK_CONFIGURATIONS,
    Resource,
)
from spidercoordinator.runtime.certificaterotator import CertificateRotator
from spidercoordinator.runtime.logging import StateLogger

_LOOK_EVERY: Final = 60.0
"""Seconds between two looks without an event: for the certificate's end, and where the role does
not allow to watch."""
_BACKOFF: Final = Backoff(first=0.5, cap=60.0)
"""Between writes in a row, which are those of two who do not agree, and between failures."""


@dataclass(slots=True)
class CertificateSync:
    """See the module.

    Attributes:
        rotator: what brings everything in sync once.
        crashes: gets unexpected exceptions.
        report: is called after each pass with what hinders it, empty for nothing.
        served: set once there are files to serve.
    """

    rotator: CertificateRotator
    crashes: CrashHandler
    report: Callable[[str], None]
    served: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _state: StateLogger = field(default_factory=lambda: StateLogger(logging.getLogger(__name__)))

    def look(self) -> None:
        """Look again soon: the files may be gone."""
        self._changed.set()

    async def run(self) -> None:
        """Keep everything in sync, without end."""
        secret = self._watch(SECRETS, self.rotator.namespace)
        configuration = self._watch(VALIDATING_WEBHOOK_CONFIGURATIONS)
        async with asyncio.TaskGroup() as tasks:
            for name, watch in (("Secret", secret), ("configuration", configuration)):
                work = restarting(f"watch of the webhook's {name}", watch, self.crashes)
                tasks.create_task(work, name=f"webhook's {name}")
            await restarting("webhook's certificate", self._sync_at_changes, self.crashes)

    def _watch(self, resource: Resource, namespace: str = "") -> Callable[[], asyncio.Future[None]]:
        async def watch() -> None:
            name = self.rotator.configuration
            selection = Selection((resource,), namespace, fields=f"metadata.name={name}")
            title = resource.describe(namespace, name)
            reflector = Reflector(self.rotator.client, selection, title=title)
            async for event in reflector.list_and_watch():
                if not isinstance(event, Bookmark | WatchFailed):
                    self._changed.set()

        return lambda: asyncio.ensure_future(watch())

    async def _sync_at_changes(self) -> None:
        failures = 0
        while True:
            self._changed.clear()
            outcome = await self._sync()
            if outcome is not _Outcome.QUIET:
                failures += 1
                await asyncio.sleep(_BACKOFF.delay(failures))
            if outcome is _Outcome.FAILED:
                continue
            try:
                async with asyncio.timeout(_LOOK_EVERY):
                    await self._changed.wait()
            except TimeoutError:
                # So long in sync: whoever wrote against us has ended.
                failures = 0

    async def _sync(self) -> _Outcome:
        what = SECRETS.describe(self.rotator.namespace, self.rotator.configuration)
        try:
            wrote = await self.rotator.sync()
        except ApiNotFoundError as error:
            # Nobody would ask a webhook that is configured nowhere.
            self._state.log(logging.WARNING, f"the webhook is not asked: {error}", object=what)
            self.report("")
            return _Outcome.QUIET
        except SpiderCoordinatorError as error:
            text = f"the webhook's certificate cannot be kept in sync: {error}"
            self._state.log(logging.WARNING, text, object=what)
            self.report(text)
            return _Outcome.FAILED
        self._state.over("the webhook's certificate is in sync", object=what)
        self.report("")
        self.served.set()
        return _Outcome.WROTE if wrote else _Outcome.QUIET


class _Outcome(Enum):
    """What a pass came to."""

    QUIET = auto()
    WROTE = auto()
    FAILED = auto()
