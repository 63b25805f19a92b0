"""The ConfigMap that nodes mount: settings for hand-written networks whose section is bare."""

from __future__ import annotations

import json
import logging
from typing import Final

from spidercoordinator.core.coordinator.section import coordinator_section
from spidercoordinator.errors import ApiForbiddenError, ApiNotFoundError
from spidercoordinator.kube.resource import CONFIG_MAPS
from spidercoordinator.reconcilers.context import State

logger = logging.getLogger(__name__)

KEY: Final = "coordinator.json"


async def apply_node_defaults(state: State) -> None:
    """Write the section that networks without settings of their own get, if it is not there yet.

    It is a help for hand-written networks only: not being allowed to write it is said once and
    stops nothing.

    Raises:
        ApiError: the API server was not reached; call again.
    """
    section = coordinator_section(state.cluster, None, name=state.settings.name)
    text = json.dumps({"type": "coordinator"} | section, indent=2) + "\n"
    if text == state.node_defaults:
        return
    body = {
        "metadata": {
            "name": state.settings.node_defaults_configmap,
            "namespace": state.settings.namespace,
        },
        "data": {KEY: text},
    }
    try:
        await state.api.apply(CONFIG_MAPS, body)
    except (ApiForbiddenError, ApiNotFoundError) as error:
        logger.warning("nodes get no defaults for hand-written networks: %s", error)
    state.node_defaults = text
