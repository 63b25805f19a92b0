"""Who holds a Lease, as soon as that changes."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from spidercoordinator.kube.client import Client
from spidercoordinator.kube.reflector import Reflector, Replaced, Selection, Updated, WatchEvent
from spidercoordinator.kube.resource import LEASES, Object
from spidercoordinator.runtime.leaderelection.lease import observe


async def watch_holder(client: Client, namespace: str, name: str) -> AsyncGenerator[str, None]:
    """Give the holder's identity at every change of the Lease, empty for none; without end."""
    selection = Selection((LEASES,), namespace, fields=f"metadata.name={name}")
    title = LEASES.describe(namespace, name)
    async for event in Reflector(client, selection, title=title).list_and_watch():
        for lease in _leases(event):
            yield observe(None, lease, 0.0).holder_identity


def _leases(event: WatchEvent) -> list[Object]:
    if isinstance(event, Replaced):
        return event.objects
    return [event.object] if isinstance(event, Updated) else []
