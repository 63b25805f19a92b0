"""What became of a network: in its status, and as an Event at a transition."""

from __future__ import annotations

import logging
from typing import Final

from spidercoordinator.api.objects import Name, name_of
from spidercoordinator.core.network import status as network_status
from spidercoordinator.core.network.status import NetworkOutcome
from spidercoordinator.core.status.contention import digest_of
from spidercoordinator.core.status.mergepatch import merge_patch
from spidercoordinator.core.status.problems import blocked_transition
from spidercoordinator.core.status.transitions import Transition
from spidercoordinator.errors import ApiError, ApiNotFoundError, Refusal
from spidercoordinator.kube.resource import SPIDERMULTUSCONFIGS, Object
from spidercoordinator.kube.timestamp import now
from spidercoordinator.reconcilers.context import Context, network_key
from spidercoordinator.reconcilers.statuswrites import StatusWrite, admitted, written
from spidercoordinator.reconcilers.writes import Target

logger = logging.getLogger(__name__)

_MAY_WAIT: Final = frozenset({"configHash", "conditions"})
STATUS: Final = "status"
"""What is written here, among problems."""
_TRANSITIONS: Final = (network_status.network_transition, blocked_transition)


def waits_for_others(context: Context, observed: Object) -> bool:
    """Whether NADs of other networks are more urgent than the first status of a network.

    A re-render of all is not: a network that is just made does not wait for it.
    """
    key = network_key(name_of(observed))
    return not observed.get("status") and context.services.queue.has_urgent(beside=key)


async def report(
    context: Context,
    network: Name,
    observed: Object,
    outcome: NetworkOutcome,
    *,
    nad_written: bool = False,
) -> None:
    """Write the status if it differs.

    To the API server a status costs more than a NAD. When many networks are rendered anew and
    neither Ready nor the NAD's name differs, the status waits until all NADs are written.

    Args:
        context: What reconcilers share.
        network: The network.
        observed: It, as it was when its reconcile began.
        outcome: What became of it.
        nad_written: Whether its NAD was written just now; only then may the status wait, so that
            it is written the next time.

    Raises:
        ApiError: The API server refused or was not reached; call again.
    """
    before = context.refused_statuses.get(network) or observed.get("status") or {}
    status = network_status.network_status(outcome, observed, now=now())
    patch = merge_patch(before, status)
    if not patch:
        context.writes.settled(network_key(network), _target(observed))
        return
    queue = context.services.queue
    told = any(compare(before, status) for compare in _TRANSITIONS)
    if nad_written and patch.keys() <= _MAY_WAIT and not told and queue.length:
        context.enqueue_network(network, low_priority=True)
        return
    digest = digest_of(status)
    wording = digest_of(before) == digest
    write = StatusWrite(network_key(network), _target(observed), digest, wording)
    if await admitted(context, write, observed):
        await _write(context, observed, before, status, write)


async def _write(
    context: Context, observed: Object, before: Object, status: Object, write: StatusWrite
) -> None:
    network = name_of(observed)
    try:
        await _patch_status(context, network, merge_patch(before, status))
    except ApiNotFoundError:
        return
    except ApiError as error:
        if error.refusal is not Refusal.INVALID:
            _tell_refusal(context, network, observed, error)
            raise
        # The API server takes no status with a spec of the wrong shape; the Event remains.
        logger.warning("no status for SpiderMultusConfig %s/%s: %s", *network, error)
        context.refused_statuses[network] = status
    else:
        context.refused_statuses.pop(network, None)
        context.problems.passed(write.key, STATUS)
        written(context, write)
    for compare in _TRANSITIONS:
        if transition := compare(before, status):
            context.events.record(SPIDERMULTUSCONFIGS, observed, transition)


def _target(observed: Object) -> Target:
    meta = observed["metadata"]
    fields = (("status",),)
    return Target(SPIDERMULTUSCONFIGS, meta["namespace"], meta["name"], fields, uid=meta["uid"])


def _tell_refusal(context: Context, network: Name, observed: Object, error: ApiError) -> None:
    """By an Event, since the status cannot tell that it is refused itself."""
    problem, new = context.problems.failed(network_key(network), STATUS, error)
    if problem and new:
        told = Transition("Warning", f"StatusRefused{problem.reason}", problem.message)
        context.events.record(SPIDERMULTUSCONFIGS, observed, told)


async def _patch_status(context: Context, network: Name, patch: Object) -> None:
    client, (namespace, name) = context.services.client, network
    body = {"status": patch}
    with context.stores.networks.write(network) as answered:
        answered(
            await client.patch(
                SPIDERMULTUSCONFIGS, name, namespace, patch=body, subresource="status"
            )
        )
