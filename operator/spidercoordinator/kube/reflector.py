"""List, then watch, for as long as somebody reads: the narrow watches that kopf cannot do.

kopf watches whole kinds. Sources of CIDRs are single ConfigMaps, a handful of pods, kinds that
may not exist yet. One generator serves them all and never ends:

- a clean end of the watch (the server ends it after about a minute) resumes where it was;
- silence longer than that, a lost connection, 5xx and 429 resume after a back-off;
- 410, as status or as event, lists again;
- a kind that does not exist is reported once and looked for again, at once when woken.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

from spidercoordinator.errors import ApiError, ApiGoneError, ApiNotFoundError, ApiUnavailableError
from spidercoordinator.kube.backoff import Backoff
from spidercoordinator.kube.client import Api, selection
from spidercoordinator.kube.resource import Object, Resource

_GONE: Final = 410
_SERVER_ENDS_AFTER: Final = 60
"""Seconds after which the API server ends a watch; an older one is taken for dead."""
_GRACE: Final = 10
"""Seconds more that the client waits before it gives a silent connection up."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects to follow.

    Attributes:
        resources: versions of one kind, best first; the first one the API server has is used.
        namespace: empty for all.
        labels: label selector.
        fields: field selector.
        metadata_only: leave spec and status on the server.
        only: the parts, such as `("spec", "podCIDRs")`, that are held of each object of a list
            beside its name; empty for all. Thousands of whole objects are hundreds of megabytes.
    """

    resources: tuple[Resource, ...]
    namespace: str = ""
    labels: str = ""
    fields: str = ""
    metadata_only: bool = False
    only: tuple[tuple[str, str], ...] = ()

    def slim(self, thing: Object) -> Object:
        """What is held of an object of a list."""
        if not self.only:
            return thing
        held: Object = {}
        for part, key in (("metadata", "namespace"), ("metadata", "name"), *self.only):
            content = thing.get(part) or {}
            if key in content:
                held.setdefault(part, {})[key] = content[key]
        return held


@dataclass(frozen=True, slots=True)
class Listed:
    """The whole selection as it is now; everything seen before is void.

    Attributes:
        objects: the objects.
        version: resource version of the list.
    """

    objects: list[Object]
    version: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Changed:
    """One object is new or different."""

    object: Object


@dataclass(frozen=True, slots=True)
class Deleted:
    """One object is gone."""

    object: Object


@dataclass(frozen=True, slots=True)
class Alive:
    """Nothing new, but the watch works."""


@dataclass(frozen=True, slots=True)
class Absent:
    """The API server does not have the kind."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The selection cannot be read now; it is tried again."""

    error: ApiError


Seen = Listed | Changed | Deleted | Alive | Absent | Failed


@dataclass(slots=True)
class Follower:
    """One endless list-and-watch.

    Attributes:
        woken: set it to try again now instead of after the back-off.
    """

    api: Api
    selection: Selection
    backoff: Backoff = field(default_factory=Backoff)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    _version: str = ""
    _failures: int = 0

    async def follow(self) -> AsyncGenerator[Seen, None]:
        """Yield what is seen, without end."""
        resource: Resource | None = None
        while True:
            # Before the question, not before the rest: one may be woken while it is answered.
            self.woken.clear()
            try:
                resource = resource or await self._choose()
                if resource is None:
                    yield Absent()
                    await self._rest()
                    continue
                if not self._version:
                    yield Listed(await self._list(resource), self._version)
                async for seen in self._watch(resource):
                    yield seen
            except ApiNotFoundError:
                # Discovery may still name a kind that is going.
                resource, self._version = None, ""
                await self._rest()
            except ApiGoneError:
                self._version = ""
                if self._failures:
                    await self._rest()
                self._failures += 1
            except ApiError as error:
                yield Failed(error)
                await self._rest(error.retry_after)

    async def _choose(self) -> Resource | None:
        for resource in self.selection.resources:
            if await self.api.serves(resource):
                return resource
        return None

    async def _list(self, resource: Resource) -> list[Object]:
        chosen = self.selection
        objects, self._version = await self.api.list(
            resource,
            chosen.namespace,
            labels=chosen.labels,
            fields=chosen.fields,
            metadata_only=chosen.metadata_only,
            slim=chosen.slim,
        )
        return objects

    async def _watch(self, resource: Resource) -> AsyncIterator[Seen]:
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
        async with stream as events:
            yield Alive()
            async for event in events:
                yield self._understand(event)
                # Only now: a watch that opens and fails at once must not be retried at once.
                self._failures = 0
        self._failures = 0

    def _understand(self, event: dict[str, Any]) -> Seen:
        thing: Object = event["object"]
        if event["type"] == "ERROR":
            status = int(thing.get("code") or 0)
            kind = ApiGoneError if status == _GONE else ApiUnavailableError
            raise kind(f"the watch ended: {thing.get('message', '')}", status=status)
        self._version = thing["metadata"]["resourceVersion"]
        if event["type"] == "BOOKMARK":
            return Alive()
        return Deleted(thing) if event["type"] == "DELETED" else Changed(thing)

    async def _rest(self, at_least: float = 0.0) -> None:
        self._failures += 1
        delay = max(at_least, self.backoff.delay(self._failures))
        try:
            async with asyncio.timeout(delay):
                await self.woken.wait()
        except TimeoutError:
            return
        # A kind is announced a moment before it is served: look often again.
        self._failures = 0
