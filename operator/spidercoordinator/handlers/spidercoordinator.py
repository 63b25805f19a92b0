"""kopf's handler of SpiderCoordinators: every event is observed, and its key enqueued."""

from __future__ import annotations

from typing import Any

import kopf

from spidercoordinator.kube.resource import SPIDERCOORDINATORS
from spidercoordinator.reconcilers.manager import Manager

_KIND = SPIDERCOORDINATORS


@kopf.on.event(_KIND.group, _KIND.version, _KIND.plural)
async def observe_spidercoordinator(event: Any, memo: Any, **_: Any) -> None:
    """Enqueue the SpiderCoordinator; `reconcilers.spidercoordinator` reconciles it.

    Only an event handler: with it kopf writes neither annotations nor finalizers on users' objects.
    """
    manager: Manager = memo.manager
    manager.observe(_KIND, event["type"], event["object"])
