"""What became of a network, told: in its status, and as an Event when that changes."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Final

from spidercoordinator.core.network import status as network_status
from spidercoordinator.core.network.status import NetworkOutcome
from spidercoordinator.core.status.mergepatch import merge_patch
from spidercoordinator.core.status.transitions import Transition
from spidercoordinator.errors import ApiInvalidError, ApiNotFoundError
from spidercoordinator.kube.events import post
from spidercoordinator.kube.resource import SPIDERMULTUSCONFIGS, Object
from spidercoordinator.reconcilers.context import Name, State, network_key, slim

logger = logging.getLogger(__name__)

_ONLY_HASH: Final = frozenset({"configHash"})


async def report(
    state: State, network: Name, thing: Object, outcome: NetworkOutcome, *, just_made: bool = False
) -> None:
    """Write the status if it differs.

    To the API server a status costs more than a NAD. When many networks are rendered anew and
    nothing but the hash differs, that hash waits until all NADs are written.

    Args:
        state: The state.
        network: The network.
        thing: It, as it was when the work on it began.
        outcome: What became of it.
        just_made: Whether its NAD was written just now; only then may the status wait, so that
            it is written the next time.

    Raises:
        ApiError: The API server refused or was not reached; call again.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    before = thing.get("status") or {}
    status = network_status.network_status(outcome, thing, now=now)
    patch = merge_patch(before, status)
    if not patch:
        return
    if just_made and patch.keys() == _ONLY_HASH and state.queue.depth:
        state.queue.add(network_key(*network), bulk=True)
        return
    known = await _patch_status(state, network, patch) or {**thing, "status": status}
    if state.networks.get(network) is thing:
        state.networks[network] = known
    if event := network_status.network_transition(before, status):
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
