"""Load on an API server: many requests in flight, and a watch that tells when each was answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from spidercoordinator.api.objects import Object
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import Resource

IN_FLIGHT = 32
T = TypeVar("T")


async def all_of(work: Callable[[T], Coroutine[Any, Any, Any]], items: Iterable[T]) -> float:
    """Do the work for each item, 32 at a time; gives the seconds it took."""
    queue = iter(list(items))
    began = time.perf_counter()

    async def worker() -> None:
        for item in queue:
            await work(item)

    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    return time.perf_counter() - began


@dataclass
class Seen:
    """When a watch saw each object as wanted.

    Attributes:
        wanted: whether an object is as it should become.
        at: the time it was seen so first, by name.
    """

    wanted: Callable[[Object], bool]
    at: dict[str, float] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, thing: Object) -> None:
        """Take one event of the watch."""
        if self.wanted(thing):
            self.at.setdefault(thing["metadata"]["name"], time.perf_counter())
            self._news.set()

    async def until(self, count: int, *, seconds: float = 300) -> float:
        """Wait until so many were seen; gives the time of the last of them."""
        async with asyncio.timeout(seconds):
            while len(self.at) < count:
                self._news.clear()
                await self._news.wait()
        return sorted(self.at.values())[count - 1]


@asynccontextmanager
async def watching(
    api: Client, resource: Resource, wanted: Callable[[Object], bool]
) -> AsyncIterator[Seen]:
    """Watch a kind from now on."""
    seen = Seen(wanted)
    _, version = await api.list(resource, metadata_only=True)
    task = asyncio.create_task(_read(api, resource, version, seen))
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _read(api: Client, resource: Resource, version: str, seen: Seen) -> None:
    # The API server ends the watch of a client that does not read fast enough, as this one while it
    # makes objects: it resumes where it was.
    while True:
        query = {"resourceVersion": version, "timeoutSeconds": "600"}
        async with api.stream(resource, query=query, idle=600) as events:
            async for event in events:
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] in {"ADDED", "MODIFIED"}:
                    seen.note(event["object"])
