"""From kopf's watch events to keys in the queue.

Only an `on.event` handler: with this kopf writes nothing on users' objects, neither annotations nor
finalizers. The handler notes what was seen and adds a key; the work is the queue's.
"""

from __future__ import annotations

from typing import Any

import kopf

from spidercoordinator.handlers import sweep
from spidercoordinator.kube.resource import SPIDERCOORDINATORS, Object
from spidercoordinator.reconcilers.context import State, coordinator_key, slim


def register(registry: kopf.OperatorRegistry, state: State) -> None:
    """Add the handler of SpiderCoordinators to kopf's registry."""
    kind = SPIDERCOORDINATORS

    async def seen(event: Any, **_: Any) -> None:
        state.health.record_event()
        state.metrics.events.labels(kind.kind).inc()
        if event["type"] is None and state.primed:
            # kopf lists again after it lost its place, and does not tell what vanished meanwhile.
            state.queue.add(sweep.KEY, after=1.0, low_priority=True)
        coordinator_seen(state, event["object"], gone=event["type"] == "DELETED")

    kopf.on.event(kind.group, kind.version, kind.plural, registry=registry, id=kind.plural)(seen)


def coordinator_seen(state: State, thing: Object, *, gone: bool) -> None:
    """Take in a SpiderCoordinator."""
    name = thing["metadata"]["name"]
    if gone:
        state.coordinators.pop(name, None)
    else:
        state.coordinators[name] = slim(thing)
    state.queue.add(coordinator_key(name))
