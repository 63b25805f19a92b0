"""kopf's handler of SpiderMultusConfigs: every event is observed, and its key enqueued."""

from __future__ import annotations

from typing import Any

import kopf

from spidercoordinator.kube.resource import SPIDERMULTUSCONFIGS
from spidercoordinator.reconcilers.manager import Manager

_KIND = SPIDERMULTUSCONFIGS


@kopf.on.event(_KIND.group, _KIND.version, _KIND.plural)
async def observe_spidermultusconfig(event: Any, memo: Any, **_: Any) -> None:
    """Enqueue the network; `reconcilers.spidermultusconfig` reconciles it.

    Only an event handler: with it kopf writes neither annotations nor finalizers on users' objects.
    """
    manager: Manager = memo.manager
    manager.observe(_KIND, event["type"], event["object"])
