"""A reflector: list, then watch, for as long as somebody reads (client-go: tools/cache Reflector).

For foreign kinds: single ConfigMaps, a handful of pods, kinds that may not be served yet. One
generator serves them all and never ends:

- a clean end of the watch (the server ends it after about a minute) resumes where it was, after a
  back-off where the watch was very short and delivered nothing;
- silence longer than that, a lost connection, 5xx and 429 resume after a back-off;
- 410, as status or as event, lists again, and so does the end of a watch whose kind has another
  schema since it was opened (`expire`);
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
from spidercoordinator.kube.client import Client, selection
from spidercoordinator.kube.resource import Object, Resource

logger = logging.getLogger(__name__)

_GONE: Final = 410
_SERVER_ENDS_AFTER: Final = 60
"""Seconds after which the API server ends a watch; an older one is taken for dead."""
_VERY_SHORT: Final = 1.0
"""Seconds; a watch that ended sooner without an event is not opened again at once."""
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
    """

    resources: tuple[Resource, ...]
    namespace: str = ""
    labels: str = ""
    fields: str = ""
    metadata_only: bool = False

    def describe(self) -> str:
        """How messages name it: the one object it is of, or the kind."""
        resource, (_, of_name, name) = self.resources[0], self.fields.partition("metadata.name=")
        return resource.describe(self.namespace, name) if of_name else resource.full_name


@dataclass(frozen=True, slots=True)
class Replaced:
    """The whole selection as it is now; everything seen before is void.

    Attributes:
        objects: what the reflector's `keep` left of each object.
        version: resource version of the list.
    """

    objects: list[Any]
    version: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Updated:
    """One object is new or different."""

    object: Object


@dataclass(frozen=True, slots=True)
class Deleted:
    """One object is gone."""

    object: Object


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Nothing new, but the watch works."""


@dataclass(frozen=True, slots=True)
class NotServed:
    """The API server does not have the kind."""


@dataclass(frozen=True, slots=True)
class WatchFailed:
    """The selection cannot be read now; it is tried again."""

    error: ApiError


WatchEvent = Replaced | Updated | Deleted | Bookmark | NotServed | WatchFailed


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
            except ApiNotFoundError:
                # Discovery may still name a kind that is going.
                resource, self._version = None, ""
                await self._back_off()
            except ApiGoneError:
                self._version = ""
                if self._failures:
                    await self._back_off()
                self._failures += 1
            except ApiError as error:
                yield WatchFailed(error)
                await self._back_off(error.retry_after)

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
        elif self._logged:
            self._logged = ""
            logger.info("%s can be read again", name, extra={"watched": name})

    async def _choose(self) -> Resource | None:
        for resource in self.selection.resources:
            if await self.api.serves(resource):
                return resource
        return None

    async def _list(self, resource: Resource) -> list[Any]:
        chosen = self.selection
        objects, self._version = await self.api.list(
            resource,
            chosen.namespace,
            labels=chosen.labels,
            fields=chosen.fields,
            metadata_only=chosen.metadata_only,
            keep=self.keep,
        )
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
            idle=seconds + _GRACE,
        )
        opened, events_seen = asyncio.get_running_loop().time(), False
        async with stream as events:
            yield Bookmark()
            async for event in events:
                yield self._event(event)
                # Only now: a watch that opens and fails at once must not be retried at once.
                self._failures, events_seen = 0, True
        if events_seen or asyncio.get_running_loop().time() - opened >= _VERY_SHORT:
            self._failures = 0
        else:
            await self._back_off()

    def _event(self, event: dict[str, Any]) -> WatchEvent:
        given: Object = event["object"]
        if event["type"] == "ERROR":
            status = int(given.get("code") or 0)
            kind = ApiGoneError if status == _GONE else ApiUnavailableError
            raise kind(f"the watch ended: {given.get('message', '')}", status=status)
        self._version = given["metadata"]["resourceVersion"]
        if event["type"] == "BOOKMARK":
            return Bookmark()
        return Deleted(given) if event["type"] == "DELETED" else Updated(given)

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
