"""The ConfigMap that nodes mount: settings for hand-written networks whose section is bare."""

from __future__ import annotations

import json
import logging
from functools import partial
from hashlib import sha256
from typing import Final

from spidercoordinator.api.objects import Name
from spidercoordinator.core.coordinator.section import coordinator_section
from spidercoordinator.core.network.lastknown import says_not_ready
from spidercoordinator.errors import ApiNotFoundError
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import CONFIG_MAPS, Object
from spidercoordinator.reconcilers.context import Context, coordinator_key
from spidercoordinator.reconcilers.writes import Target, once_a_minute
from spidercoordinator.runtime.logging import StateLogger
from spidercoordinator.runtime.settings import Settings

_written: Final = StateLogger(logging.getLogger(__name__))

KEY: Final = "coordinator.json"


def selection(settings: Settings) -> Selection:
    """The ConfigMap, for its informer."""
    name = f"metadata.name={settings.node_defaults_configmap}"
    return Selection((CONFIG_MAPS,), namespace=settings.namespace, fields=name)


async def apply_node_defaults(context: Context) -> None:
    """Write the section that networks without settings of their own get, unless it is in sync.

    While there is no SpiderCoordinator, nodes keep what they were given last.

    It is a help for hand-written networks only: where the operator's namespace does not exist, as
    outside a cluster, that is logged, once.

    Raises:
        ApiError: the API server refused or was not reached; call again.
    """
    settings, store = context.services.settings, context.stores.node_defaults
    section = coordinator_section(context.decided.cluster, None, name=settings.name)
    text = json.dumps({"type": "coordinator"} | section, indent=2) + "\n"
    name = (settings.namespace, settings.node_defaults_configmap)
    present = store.get(name)
    key = coordinator_key(settings.name)
    target = Target(CONFIG_MAPS, *name, (("data",),))
    before = (present.get("data") or {}).get(KEY, "") if present is not None else ""
    keeps = context.decided.cluster is None and before and not says_not_ready(before)
    if before == text or keeps:
        contest = context.writes.settled(key, target)
    else:
        body = {"metadata": {"namespace": name[0], "name": name[1]}, "data": {KEY: text}}
        digest = sha256(text.encode()).hexdigest()
        write = partial(_apply, context, name, body)
        try:
            contest = await once_a_minute(context.writes, key, target, digest, write)
        except ApiNotFoundError as error:
            text = f"nodes get no defaults for hand-written networks: {error}"
            _written.log(logging.WARNING, text, object=CONFIG_MAPS.describe(*name))
            return
        _written.over("nodes get defaults for hand-written networks")
    context.note_contest(key, "nodes' defaults in dispute", contest)


async def _apply(context: Context, name: Name, body: Object) -> None:
    with context.stores.node_defaults.write(name) as answered:
        answered(await context.services.client.apply(CONFIG_MAPS, body))
