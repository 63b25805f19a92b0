"""The ConfigMap that nodes mount: settings for hand-written networks whose section is bare."""

from __future__ import annotations

import json
import logging
from typing import Final

from spidercoordinator.core.coordinator.section import coordinator_section
from spidercoordinator.core.network.lastknown import says_not_ready
from spidercoordinator.errors import ApiForbiddenError, ApiNotFoundError
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import CONFIG_MAPS
from spidercoordinator.reconcilers.context import Context
from spidercoordinator.runtime.settings import Settings

logger = logging.getLogger(__name__)

KEY: Final = "coordinator.json"


def selection(settings: Settings) -> Selection:
    """The ConfigMap, for its informer."""
    name = f"metadata.name={settings.node_defaults_configmap}"
    return Selection((CONFIG_MAPS,), namespace=settings.namespace, fields=name)


async def apply_node_defaults(context: Context) -> None:
    """Write the section that networks without settings of their own get, unless it is in sync.

    While there is no SpiderCoordinator, nodes keep what they were given last.

    It is a help for hand-written networks only: not being allowed to write it is logged and stops
    nothing.

    Raises:
        ApiError: the API server was not reached; call again.
    """
    settings, store = context.services.settings, context.stores.node_defaults
    section = coordinator_section(context.decided.cluster, None, name=settings.name)
    text = json.dumps({"type": "coordinator"} | section, indent=2) + "\n"
    name = (settings.namespace, settings.node_defaults_configmap)
    present = store.get(name)
    before = (present.get("data") or {}).get(KEY, "") if present is not None else ""
    if before == text or (
        context.decided.cluster is None and before and not says_not_ready(before)
    ):
        return
    body = {"metadata": {"namespace": name[0], "name": name[1]}, "data": {KEY: text}}
    try:
        with store.write(name) as answered:
            answered(await context.services.client.apply(CONFIG_MAPS, body))
    except (ApiForbiddenError, ApiNotFoundError) as error:
        logger.warning("nodes get no defaults for hand-written networks: %s", error)
