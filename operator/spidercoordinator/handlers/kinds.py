"""Notice when the kind NetworkAttachmentDefinition comes and goes."""

from __future__ import annotations

import logging
from typing import Final

from spidercoordinator.handlers.queue import Key
from spidercoordinator.handlers.state import State, coordinator_key
from spidercoordinator.kube.resource import NETWORK_ATTACHMENT_DEFINITIONS

logger = logging.getLogger(__name__)

KEY: Final[Key] = ("kinds",)
_LOOK_AGAIN: Final = 2.0


async def reconcile(_: Key, state: State) -> None:
    """Find out whether networks can be made at all.

    Raises:
        ApiError: the API server was not reached; call again.
    """
    served = await state.api.serves(NETWORK_ATTACHMENT_DEFINITIONS)
    if not served:
        # A CRD's last event comes a moment before its kind is served.
        state.queue.add(KEY, after=_LOOK_AGAIN, bulk=True)
    if served == state.attachments_served:
        return
    logger.info("the kind NetworkAttachmentDefinition %s", "is there" if served else "is missing")
    state.attachments_served = served
    state.queue.add(coordinator_key(state.settings.name))
    state.add_all_networks()
