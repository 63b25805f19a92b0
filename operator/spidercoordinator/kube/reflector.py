"""A reflector: list, then watch, for as long as somebody reads (client-go: tools/cache Reflector).

For foreign kinds: single ConfigMaps, a handful of pods, kinds that may not be served yet. One
generator serves them all and never ends:

- a clean end of the watch (the server ends it after about a minute) resumes where it was, after a
  back-off where the watch was very short and delivered nothing;
- silence longer than that, a lost connection, 5xx and 429 resume after a back-off;
- 410, as status or as event, lists again, and so do a watch that fails soon and more than once and
  the end of one whose kind has another schema since it was opened (`expire`);
- a kind that does not exist is reported and looked for again, at once when woken: whoever watches
  CustomResourceDefinitions wakes it, so that it looks seldom by itself.

What keeps it from reading is logged once, and once more when it reads again.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final

from spidercoordinator.errors import ApiError, ApiGoneError, ApiNotFoundError, ApiUnavailableError
from spidercoordinator.kube.backoff import Backoff
from spidercoordinator.kube.client import PAGE, Client, selection
from spidercoordinator.kube.resource import Object, Resource
from spidercoordinator.kube.watchevent import (
    Bookmark,
    Deleted,
    NotServed,
    Replaced,
    Updated,
    WatchEvent,
    WatchFailed,
    event_of,
)

__all__ = [
    "Bookmark",
    "Deleted",
    "NotServed",
    "Reflector",
    "Replaced",
    "Selection",
    "Updated",
    "WatchEvent",
    "WatchFailed",
]

logger = logging.getLogger(__name__)

_SERVER_ENDS_AFTER: Final = 60
"""Seconds after which the API server ends a watch; an older one is taken for dead."""
_VERY_SHORT: Final = 1.0
"""Seconds; a watch that ended sooner without an event is not opened again at once."""
_LASTED: Final = 5.0
"""Seconds; a watch that was cut off later has worked: load balancers cut off what is silent."""
_TOLD_AFTER: Final = 2
"""How often in a row a kind, or a version of it, is not found before that is told."""
_UNSERVED_CAP: Final = 300.0
"""Seconds at most between looks for a kind that no CustomResourceDefinition announces: one of an
aggregated API server, or a built-in one after an upgrade."""
_GRACE: Final = 10
"""Seconds more that the client waits before it gives a silent connection up."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects to list and watch.

    Attributes:
        resources: versions of one kind, best first; the first one the API server has is used.
        namespace: empty for all.
        labels: label selector.
        fields: field selector.
        metadata_only: leave spec and status on the server.
        parts: what is parsed of each object beside its metadata, see `parts`; empty for all.
    """

    resources: tuple[Resource, ...]
    namespace: str = ""
    labels: str = ""
    fields: str = ""
    metadata_only: bool = False
    parts: tuple[str, ...] = ()

    def describe(self) -> str:
        """How messages name it: the one object it is of, or the kind."""
        resource, (_, of_name, name) = self.resources[0], self.fields.partition("metadata.name=")
        return resource.describe(self.namespace, name) if of_name else resource.full_name


def _whole(given: Object) -> Object:
    return given


@dataclass(slots=True)
class Reflector:
    """One endless list-and-watch.

    Attributes:
        api: how to ask.
        selection: which objects.
        keep: what is kept of each object of a list. It is called while the list is read page by
            page, so that whole objects are there for one page only: thousands of them are hundreds
            of megabytes.
        title: how the log names what is read; empty for what the selection says.
        wake: set it to try again now instead of after the back-off.
        backoff: between tries after a failure.
        unserved: between looks for a kind that does not exist.
    """

    api: Client
    selection: Selection
    keep: Callable[[Object], Any] = _whole
    backoff: Backoff = field(default_factory=Backoff)
    unserved: Backoff = field(default_factory=lambda: Backoff(cap=_UNSERVED_CAP))
    title: str = ""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    _version: str = ""
    _expired: bool = False
    _failures: int = 0
    _anew: int = 0
    """How often in a row the kind, or a version of it, was not found."""
    _inside: bool = False
    """Whether the last failure was in the middle of a watch, which could be opened."""
    _page: int = PAGE
    _logged: str = ""

    def expire(self) -> None:
        """List again when the present watch ends: the kind has another schema.

        The API server prunes and defaults by the schema with which a watch was opened, and ends it
        a moment after that changed (tearDown in apiextensions-apiserver's
        customresource_handler.go). A watch that resumed would never deliver what was pruned.
        """
        self._expired = True

    async def list_and_watch(self) -> AsyncGenerator[WatchEvent, None]:
        """Yield what is seen, without end."""
        async with aclosing(self._list_and_watch()) as events:
            async for event in events:
                self._log(event)
                yield event

    async def _list_and_watch(self) -> AsyncGenerator[WatchEvent, None]:
        resource: Resource | None = None
        while True:
            # Before the request, not before the back-off: the kind may be announced meanwhile.
            self.wake.clear()
            try:
                resource = resource or await self._choose()
                if resource is None:
                    yield NotServed()
                    await self._back_off(backoff=self.unserved)
                    continue
                if self._expired or not self._version:
                    self._expired = False
                    yield Replaced(await self._list(resource), self._version)
                async for seen in self._watch(resource):
                    yield seen
            except ApiError as error:
                if isinstance(error, ApiNotFoundError):
                    # Discovery may still name a kind that is going.
                    resource = None
                if self._tells_of(error):
                    yield WatchFailed(error)
                if isinstance(error, ApiGoneError) and not self._failures:
                    self._failures = 1
                else:
                    await self._back_off(error.retry_after)

    def _tells_of(self, error: ApiError) -> bool:
        """Forget the version where a list is to follow; whether the failure is to be told of."""
        begins_anew = isinstance(error, ApiNotFoundError | ApiGoneError)
        self._anew = self._anew + 1 if begins_anew else 0
        # It may be what came in since that version; client-go lists at once.
        if begins_anew or (self._inside and self._failures):
            self._version = ""
        return not begins_anew or self._anew > _TOLD_AFTER

    def _log(self, event: WatchEvent) -> None:
        """Say once what fails, in which words ever, and when it is over.

        One connection that is lost is no news: every load balancer does that to watches.
        """
        name = self.title or self.selection.describe()
        if isinstance(event, WatchFailed):
            lost = isinstance(event.error, ApiUnavailableError) and not self._failures
            kind = type(event.error).__name__
            if not lost and self._logged != kind:
                self._logged = kind
                text = "%s cannot be read, what is known stays in use: %s"
                logger.warning(text, name, event.error, extra={"watched": name})
        elif self._logged and not (self._inside and isinstance(event, Replaced)):
            self._logged = ""
            logger.info("%s can be read again", name, extra={"watched": name})

    async def _choose(self) -> Resource | None:
        for resource in self.selection.resources:
            if await self.api.serves(resource):
                return resource
        return None

    async def _list(self, resource: Resource) -> list[Any]:
        chosen = self.selection
        try:
            objects, self._version = await self.api.list(
                resource,
                chosen.namespace,
                labels=chosen.labels,
                fields=chosen.fields,
                metadata_only=chosen.metadata_only,
                parts=chosen.parts,
                keep=self.keep,
                page=self._page,
            )
        except ApiGoneError:
            # Pages that end sooner than they are read: all in one answer, like client-go's pager.
            self._page = 0 if self._failures else PAGE
            raise
        self._page = PAGE
        return objects

    async def _watch(self, resource: Resource) -> AsyncIterator[WatchEvent]:
        # Watches opened together must not end together.
        seconds = _SERVER_ENDS_AFTER + random.randrange(_GRACE)  # noqa: S311 - spreads load
        query = selection(self.selection.labels, self.selection.fields) | {
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(seconds),
        }
        stream = self.api.stream(
            resource,
            self.selection.namespace,
            query=query,
            metadata_only=self.selection.metadata_only,
            parts=self.selection.parts,
            idle=seconds + _GRACE,
        )
        clock = asyncio.get_running_loop().time
        opened, events_seen, unproven = clock(), False, self._inside
        self._inside = False
        async with stream as events:
            if not unproven:
                yield Bookmark()
            try:
                async for event in events:
                    seen, self._version = event_of(event)
                    yield seen
                    # Only now: a watch that opens and fails at once must not be retried at once.
                    self._failures, self._anew, events_seen = 0, 0, True
            except Exception as error:
                self._inside = True
                if clock() - opened >= _LASTED and not isinstance(error, TimeoutError | ApiError):
                    self._failures = 0
                raise
        if events_seen or clock() - opened >= _VERY_SHORT:
            self._failures = self._anew = 0
            yield Bookmark()
        else:
            await self._back_off()

    async def _back_off(self, at_least: float = 0.0, backoff: Backoff | None = None) -> None:
        self._failures += 1
        delay = max(at_least, (backoff or self.backoff).delay(self._failures))
        try:
            async with asyncio.timeout(delay):
                await self.wake.wait()
        except TimeoutError:
            return
        # A kind is announced a moment before it is served: look often again.
        self._failures = 0
