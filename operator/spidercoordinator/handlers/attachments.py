"""Follow NetworkAttachmentDefinitions: a kind of somebody else, which may come after us and go.

kopf learns of a new kind from its CRD, once, and misses it when the API server lists the kind's
group a moment later; so this kind is followed by our own list-and-watch, which also tells what
vanished while it was not looking.
"""

from __future__ import annotations

import logging
from typing import Final

from spidercoordinator.core.claims import name_of
from spidercoordinator.handlers.spidermultusconfig import attachment_seen
from spidercoordinator.handlers.state import State, coordinator_key
from spidercoordinator.kube.resource import NETWORK_ATTACHMENT_DEFINITIONS
from spidercoordinator.kube.watch import (
    Absent,
    Changed,
    Deleted,
    Failed,
    Follower,
    Listed,
    Seen,
    Selection,
)

logger = logging.getLogger(__name__)

KIND: Final = NETWORK_ATTACHMENT_DEFINITIONS


def follower(state: State) -> Follower:
    """The follower of all NADs of the cluster."""
    return Follower(state.api, Selection((KIND,)))


async def follow(state: State, following: Follower) -> None:
    """Keep the store of NADs true, without end."""
    async for seen in following.follow():
        if isinstance(seen, Failed):
            logger.warning("changes of networks' NADs are noticed late: %s", seen.error)
        else:
            state.health.hear()
        take_in(state, seen)


def take_in(state: State, seen: Seen) -> None:
    """Take in what a follower saw."""
    if isinstance(seen, Listed | Absent):
        _set_served(state, isinstance(seen, Listed))
        things = seen.objects if isinstance(seen, Listed) else []
        there = {name_of(thing) for thing in things}
        for name, thing in tuple(state.attachments.items()):
            if name not in there:
                attachment_seen(state, thing, gone=True)
        for thing in things:
            attachment_seen(state, thing)
    elif isinstance(seen, Changed | Deleted):
        state.metrics.events.labels(KIND.kind).inc()
        attachment_seen(state, seen.object, gone=isinstance(seen, Deleted))


def _set_served(state: State, served: bool) -> None:
    if served == state.attachments_served:
        return
    logger.info("the kind NetworkAttachmentDefinition %s", "is there" if served else "is missing")
    state.attachments_served = served
    state.queue.add(coordinator_key(state.settings.name))
    state.add_all_networks()
