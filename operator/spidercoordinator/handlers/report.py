"""What became of a network, told: in its status, and as an Event when that changes."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from spidercoordinator.core import network_status
from spidercoordinator.core.network_status import Outcome
from spidercoordinator.core.statuspatch import merge_patch
from spidercoordinator.core.transition import Transition
from spidercoordinator.errors import ApiInvalidError, ApiNotFoundError
from spidercoordinator.handlers.state import Name, State, slim
from spidercoordinator.kube.events import post
from spidercoordinator.kube.resource import SPIDERMULTUSCONFIGS, Object

logger = logging.getLogger(__name__)


async def report(state: State, network: Name, thing: Object, outcome: Outcome) -> None:
    """Write the status if it differs.

    Raises:
        ApiError: The API server refused or was not reached; call again.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    before = thing.get("status") or {}
    status = network_status.network_status(outcome, thing, now=now)
    patch = merge_patch(before, status)
    if not patch:
        return
    known = await _patch_status(state, network, patch) or {**thing, "status": status}
    if state.networks.get(network) is thing:
        state.networks[network] = known
    if event := network_status.told(before, status):
        await _tell(state, thing, event, now)


async def _patch_status(state: State, network: Name, patch: Object) -> Object | None:
    namespace, name = network
    try:
        answer = await state.api.patch(
            SPIDERMULTUSCONFIGS, name, namespace, patch={"status": patch}, subresource="status"
        )
    except ApiNotFoundError:
        return None
    except ApiInvalidError as error:
        # The API server takes no status with a spec of the wrong shape; the Event remains.
        logger.warning("no status for SpiderMultusConfig %s/%s: %s", namespace, name, error)
        return None
    return slim(answer)


async def _tell(state: State, thing: Object, event: Transition, now: str) -> None:
    await post(
        state.api,
        SPIDERMULTUSCONFIGS,
        thing,
        type_=event.type,
        reason=event.reason,
        message=event.message,
        now=now,
    )
