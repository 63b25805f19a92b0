"""Wait until the API server has kinds: a CRD may be applied after the operator was started."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from typing import Final

from spidercoordinator.errors import ApiError
from spidercoordinator.kube.backoff import Backoff
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import Resource

logger = logging.getLogger(__name__)

_BACKOFF: Final = Backoff(first=0.5, cap=15.0)


async def wait_until_served(client: Client, kinds: Collection[Resource]) -> None:
    """Return once the API server serves all these kinds of one group, and lists their group.

    What is waited for is logged when it is another thing than before.
    """
    failures, logged = 0, ""
    (group,) = {kind.group for kind in kinds}
    while True:
        try:
            listed = group in await client.groups()
            lacking = [kind.full_name for kind in kinds if not await client.serves(kind)]
            if listed and not lacking:
                return
            names = ", ".join(lacking) or "group"
            message, wait = f"the API server has no {names} yet: apply the CRDs", 0.0
        except ApiError as error:
            message, wait = f"cannot start yet, trying again: {error}", error.retry_after
        if message != logged:
            logger.warning("%s", message)
        failures, logged = failures + 1, message
        await asyncio.sleep(max(_BACKOFF.delay(failures), wait))
