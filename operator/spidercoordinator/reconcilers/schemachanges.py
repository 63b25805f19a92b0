"""What a watch of kopf delivers wrongly while the CRD of its kind changes, and how it is put right.

The API server prunes and defaults by the schema with which a watch was opened. After a change it
ends the watch, a second later or when requests that were under way have ended (tearDown in
apiextensions-apiserver's customresource_handler.go); until then fields that the new schema brought
are missing from events, at resource versions that are current, so that neither a resumed watch nor
a list of metadata shows it. And objects that nobody touches read otherwise at once: by defaults.

So the kind is listed a moment after the change, after events of the time in which the old watch may
live, and at the end of that. Reflectors of our own list by themselves (`kube.reflector`).
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final

from spidercoordinator.errors import ApiError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import Resource
from spidercoordinator.kube.store import Store

logger = logging.getLogger(__name__)

WATCH_ENDS_WITHIN: Final = 80.0
"""Seconds after which no watch of kopf is as old as the change (`handlers.lifecycle`)."""
_TAKEN_IN_WITHIN: Final = 1.5
"""Seconds in which the API server has normally ended the old watch."""
_BETWEEN_LISTS: Final = 5.0
"""Seconds; thousands of networks are some megabytes."""


@dataclass(slots=True)
class Suspicion:
    """When a kind is to be listed: times of the event loop's clock, in seconds.

    Attributes:
        ends: when the old watch is certainly gone; a list then is the last one.
        due: the next list.
        listed: the last one.
    """

    ends: float
    due: float
    listed: float = 0.0

    @classmethod
    def of_change(cls, now: float) -> Suspicion:
        """Begin it."""
        return cls(ends=now + WATCH_ENDS_WITHIN, due=now + _TAKEN_IN_WITHIN)

    def observe(self, now: float) -> None:
        """An event came, perhaps by the old watch."""
        self.due = min(self.due, max(now + _TAKEN_IN_WITHIN, self.listed + _BETWEEN_LISTS))

    def list(self, now: float) -> bool:
        """A list is made; whether it is the last one."""
        self.listed, self.due = now, self.ends
        return now >= self.ends


@dataclass(slots=True)
class SchemaChanges:
    """Lists kinds whose schema changed.

    Attributes:
        client: how to ask.
        stores: the store of each kind.
    """

    client: Client
    stores: dict[Resource, Store]
    _suspicions: dict[Resource, Suspicion] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def changed(self, kind: Resource) -> None:
        """Take in that the CRD of a kind has another spec."""
        text = "the CRD %s changed: its objects are listed anew"
        logger.info(text, kind.full_name, extra={"kind": kind.full_name})
        self._suspicions[kind] = Suspicion.of_change(_now())
        self._wake.set()

    def observe(self, kind: Resource) -> None:
        """Take in that kopf delivered an event of a kind."""
        if suspicion := self._suspicions.get(kind):
            suspicion.observe(_now())
            self._wake.set()

    async def run(self) -> None:
        """List when it is due, without end."""
        while True:
            self._wake.clear()
            due = min((each.due for each in self._suspicions.values()), default=None)
            try:
                async with asyncio.timeout_at(due):
                    await self._wake.wait()
            except TimeoutError:
                for kind, suspicion in list(self._suspicions.items()):
                    if suspicion.due <= _now():
                        await self._list(kind, suspicion)

    async def _list(self, kind: Resource, suspicion: Suspicion) -> None:
        last = suspicion.list(_now())
        try:
            objects, _ = await self.client.list(kind)
        except ApiError as error:
            suspicion.observe(_now())
            logger.warning("%s changed and cannot be listed yet: %s", kind.full_name, error)
            return
        for given in objects:
            self.stores[kind].observe_schema(given)
        if last and self._suspicions.get(kind) is suspicion:
            del self._suspicions[kind]


def _now() -> float:
    return asyncio.get_running_loop().time()
