"""Fill the stores once, before anything is decided.

kopf lists the same objects but does not tell when it is done; deciding on half of them would write
a status that is wrong for a moment at every start.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from spidercoordinator.errors import ApiError, ApiNotFoundError
from spidercoordinator.kube.backoff import Backoff
from spidercoordinator.kube.resource import NETWORK_ATTACHMENT_DEFINITIONS, SPIDERCOORDINATORS
from spidercoordinator.reconcilers import spidermultusconfig
from spidercoordinator.reconcilers.context import State, slim

logger = logging.getLogger(__name__)

_BACKOFF: Final = Backoff(first=0.5, cap=15.0)


async def prime(state: State) -> None:
    """Read all objects of the three kinds.

    Raises:
        ApiError: the API server was not reached, or does not have our kinds yet; call again.
    """
    if SPIDERCOORDINATORS.group not in await state.api.groups():
        # kopf reads the list of groups once: it must not do so before ours is on it.
        raise ApiNotFoundError(
            f"the API server does not list the group {SPIDERCOORDINATORS.group} yet: apply the CRDs"
        )
    coordinators, _ = await state.api.list(SPIDERCOORDINATORS)
    await spidermultusconfig.prime(state)
    state.attachments_served = await state.api.serves(NETWORK_ATTACHMENT_DEFINITIONS)
    for thing in coordinators:
        state.coordinators.setdefault(thing["metadata"]["name"], slim(thing))


async def until_answered(ask: Callable[[], Awaitable[None]]) -> None:
    """Do something again and again, with a back-off, until the API server answers as wanted."""
    failures = 0
    while True:
        try:
            await ask()
        except ApiError as error:
            failures += 1
            logger.warning("cannot start yet, trying again: %s", error)
            await asyncio.sleep(max(_BACKOFF.delay(failures), error.retry_after))
        else:
            return
