"""From kopf's watch events to keys in the queue.

Only `on.event` handlers: with these kopf writes nothing on users' objects, neither annotations nor
finalizers. A handler notes what was seen and adds a key; the work is the queue's.
"""

from __future__ import annotations

from typing import Any

import kopf

from spidercoordinator.handlers.spidermultusconfig import network_seen
from spidercoordinator.handlers.state import State, coordinator_key, network_key, slim
from spidercoordinator.handlers.sweep import sweep_key
from spidercoordinator.kube.resource import (
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
    Object,
    Resource,
)


def register(registry: kopf.OperatorRegistry, state: State) -> None:
    """Add the handlers of our two kinds to kopf's registry."""
    for resource, handle in (
        (SPIDERCOORDINATORS, coordinator_event),
        (SPIDERMULTUSCONFIGS, network_event),
    ):
        kopf.on.event(
            resource.group,
            resource.version,
            resource.plural,
            registry=registry,
            id=resource.plural,
        )(_handler(state, resource, handle))


def _handler(state: State, resource: Resource, handle: Any) -> Any:
    async def seen(event: Any, **_: Any) -> None:
        state.health.hear()
        state.metrics.events.labels(resource.kind).inc()
        if event["type"] is None and state.primed:
            # kopf lists again after it lost its place, and does not tell what vanished meanwhile.
            state.queue.add(sweep_key(resource), after=1.0, bulk=True)
        handle(state, event["object"], gone=event["type"] == "DELETED")

    return seen


def coordinator_event(state: State, thing: Object, *, gone: bool) -> None:
    """Take in a SpiderCoordinator."""
    name = thing["metadata"]["name"]
    if gone:
        state.coordinators.pop(name, None)
    else:
        state.coordinators[name] = slim(thing)
    state.queue.add(coordinator_key(name))


def network_event(state: State, thing: Object, *, gone: bool) -> None:
    """Take in a SpiderMultusConfig; one more, or one fewer, changes the count of networks."""
    meta = thing["metadata"]
    name = (meta.get("namespace", ""), meta["name"])
    if gone or name not in state.networks:
        state.queue.add(coordinator_key(state.settings.name), after=1.0)
    before = state.networks.get(name)
    network_seen(state, thing, gone=gone)
    if before is None or before["metadata"].get("generation") != meta.get("generation"):
        state.queue.forget(network_key(*name))
