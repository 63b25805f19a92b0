"""Follow networks and NADs with our own list-and-watch instead of kopf's.

There may be thousands of them, and per object kopf costs more than all the rest of the work on it
(docs/decisions/0006). A NAD is moreover of somebody else's kind, which may come after us: kopf
learns of a new kind from its CRD, once, and misses it when the API server lists the kind's group a
moment later. And kopf does not tell what vanished while it was not looking.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from spidercoordinator.api.objects import name_of
from spidercoordinator.kube.reflector import (
    Absent,
    Changed,
    Deleted,
    Failed,
    Follower,
    Listed,
    Seen,
    Selection,
)
from spidercoordinator.kube.resource import (
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERMULTUSCONFIGS,
    Object,
    Resource,
)
from spidercoordinator.reconcilers.context import Name, State, coordinator_key, network_key
from spidercoordinator.reconcilers.spidermultusconfig import attachment_seen, network_seen

logger = logging.getLogger(__name__)


class Taker(Protocol):
    """What takes in one object that was seen."""

    def __call__(self, state: State, thing: Object, *, gone: bool = False) -> None:
        """Take it in."""


@dataclass(frozen=True, slots=True)
class Followed:
    """One kind that is followed.

    Attributes:
        resource: the kind.
        store: where its objects are kept.
        take: what takes in one object.
        served: what is told whether the kind exists.
    """

    resource: Resource
    store: Callable[[State], Mapping[Name, Object]]
    take: Taker
    served: Callable[[State, bool], None]


def take_network(state: State, thing: Object, *, gone: bool = False) -> None:
    """Take in a SpiderMultusConfig; one more, or one fewer, changes the count of networks."""
    name = name_of(thing)
    before = state.networks.get(name)
    if gone or before is None:
        state.queue.add(coordinator_key(state.settings.name), after=1.0)
    network_seen(state, thing, gone=gone)
    if before is None or before["metadata"]["generation"] != thing["metadata"]["generation"]:
        # Whatever failed before was about another spec.
        state.queue.forget(network_key(*name))


def set_attachments_served(state: State, served: bool) -> None:
    """Note whether networks can be made at all."""
    if served == state.attachments_served:
        return
    logger.info("the kind NetworkAttachmentDefinition %s", "is there" if served else "is missing")
    state.attachments_served = served
    state.queue.add(coordinator_key(state.settings.name))
    state.add_all_networks()


def _of_no_interest(state: State, served: bool) -> None:
    """Our own kind comes with us; nothing depends on its being there."""


NETWORKS: Final = Followed(
    SPIDERMULTUSCONFIGS, lambda state: state.networks, take_network, _of_no_interest
)
ATTACHMENTS: Final = Followed(
    NETWORK_ATTACHMENT_DEFINITIONS,
    lambda state: state.attachments,
    attachment_seen,
    set_attachments_served,
)
FOLLOWED: Final = (NETWORKS, ATTACHMENTS)


def followers(state: State) -> dict[str, Follower]:
    """A follower of all objects of each kind, by the kind's full name."""
    return {
        each.resource.full_name: Follower(state.api, Selection((each.resource,)))
        for each in FOLLOWED
    }


async def follow(state: State, kind: Followed, follower: Follower) -> None:
    """Keep the store of a kind true, without end."""
    async for seen in follower.follow():
        if isinstance(seen, Failed):
            logger.warning("changes of %s are noticed late: %s", kind.resource.plural, seen.error)
        else:
            state.health.hear()
        take_in(state, kind, seen)


def take_in(state: State, kind: Followed, seen: Seen) -> None:
    """Take in what a follower saw."""
    if isinstance(seen, Listed | Absent):
        kind.served(state, isinstance(seen, Listed))
        things = seen.objects if isinstance(seen, Listed) else []
        there = {name_of(thing) for thing in things}
        for name, thing in tuple(kind.store(state).items()):
            if name not in there:
                kind.take(state, thing, gone=True)
        for thing in things:
            kind.take(state, thing)
    elif isinstance(seen, Changed | Deleted):
        state.metrics.events.labels(kind.resource.kind).inc()
        kind.take(state, seen.object, gone=isinstance(seen, Deleted))
