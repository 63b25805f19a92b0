"""Compare what kopf's watch of SpiderCoordinators told with a list, now and then.

A watch that lost its place lists again and cannot tell what was deleted in between; a watch that
is dead tells nothing at all. The first leaves objects in our stores that are gone: they are
dropped. The second shows as an object whose version in the list is newer than ours for a while: the
process then says that it is unwell, and is restarted.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from spidercoordinator.errors import ApiNotFoundError
from spidercoordinator.kube.resource import SPIDERCOORDINATORS, Object
from spidercoordinator.reconcilers.context import State, coordinator_key
from spidercoordinator.runtime.workqueue import Key

KIND: Final = "sweep"
EVERY: Final = 180.0
"""Seconds between two sweeps."""
_AGAIN: Final = 20.0
"""Seconds after which a lagging watch is looked at again."""

KEY: Final[Key] = (KIND, SPIDERCOORDINATORS.plural)
"""The key under which they are swept."""


async def reconcile(key: Key, state: State) -> None:
    """Sweep, and have it done again later."""
    before = {thing["metadata"]["uid"]: thing for thing in state.coordinators.values()}
    try:
        objects, _ = await state.api.list(SPIDERCOORDINATORS, metadata_only=True)
    except ApiNotFoundError:
        objects = []
    state.health.record_event()
    listed = {thing["metadata"]["uid"] for thing in objects}
    for uid, thing in before.items():
        if uid not in listed:
            name = thing["metadata"]["name"]
            state.coordinators.pop(name, None)
            state.queue.add(coordinator_key(name))
    lagging = _lagging(state, objects)
    if lagging:
        state.health.stale_watches.setdefault(SPIDERCOORDINATORS.kind, time.monotonic())
    else:
        state.health.stale_watches.pop(SPIDERCOORDINATORS.kind, None)
    state.queue.add(key, after=_AGAIN if lagging else EVERY, low_priority=True)


def _lagging(state: State, objects: Iterable[Object]) -> bool:
    ours = {
        thing["metadata"]["uid"]: thing["metadata"]["resourceVersion"]
        for thing in state.coordinators.values()
    }
    return any(
        ours.get(thing["metadata"]["uid"]) != thing["metadata"]["resourceVersion"]
        for thing in objects
    )
