"""An informer: list and watch one kind, and keep a store of its objects up to date.

For foreign kinds only; our own kinds reach their stores through kopf's handlers. As in client-go's
SharedInformer, whoever decides on the objects reads the store and learns of changes by its event
handlers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from spidercoordinator.kube.client import Client
from spidercoordinator.kube.reflector import (
    Bookmark,
    Deleted,
    NotServed,
    Reflector,
    Replaced,
    Selection,
    Updated,
    WatchEvent,
    WatchFailed,
)
from spidercoordinator.kube.store import Store


def _ignore(_: WatchEvent) -> None:
    pass


@dataclass(slots=True)
class Informer:
    """See the module.

    Attributes:
        client: how to ask.
        selection: which objects.
        store: where they are kept.
        observer: is called with everything the watch delivers, after the store has it.
        answered: set once the API server has answered, if only that the objects cannot be read.
        synced: set once the objects have been listed, or their kind is known not to be served.
        served: whether the API server has the kind.
    """

    client: Client
    selection: Selection
    store: Store
    observer: Callable[[WatchEvent], None] = _ignore
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    synced: asyncio.Event = field(default_factory=asyncio.Event)
    served: bool = False
    _reflector: Reflector = field(init=False)

    def __post_init__(self) -> None:
        self._reflector = Reflector(self.client, self.selection, self.store.trim)

    def wake(self) -> None:
        """Ask again now instead of after the back-off: the kind was just announced."""
        self._reflector.wake.set()

    def expire(self) -> None:
        """List again when the present watch ends: the kind has another schema."""
        self._reflector.expire()

    async def run(self) -> None:
        """Keep the store up to date, without end; run again after a crash, it lists anew."""
        self._reflector = Reflector(self.client, self.selection, self.store.trim)
        async for event in self._reflector.list_and_watch():
            self._take_in(event)
            self.answered.set()
            if isinstance(event, Replaced | NotServed):
                self.synced.set()
            self.observer(event)

    def _take_in(self, event: WatchEvent) -> None:
        match event:
            case Replaced(objects=objects, version=version):
                self.served = True
                self.store.replace(objects, version)
            case NotServed():
                self.served = False
                for name, version in self.store.versions().items():
                    self.store.remove(name, version)
            case Updated(object=given):
                self.store.observe(given)
            case Deleted(object=given):
                self.store.observe_deletion(given)
            case WatchFailed() | Bookmark():
                pass
