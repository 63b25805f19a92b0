"""Writes NADs as decided, and says in the log and by an Event what was done and why."""

from __future__ import annotations

import logging
from functools import partial
from typing import Final

from spidercoordinator.api import nad as nad_api
from spidercoordinator.api.objects import Name, name_of
from spidercoordinator.core.network import transitions
from spidercoordinator.core.network.maker import is_terminating
from spidercoordinator.core.network.ownership import Apply, Conflict, Decision, InSync, Wait
from spidercoordinator.core.network.release import (
    Delete,
    Release,
    decide_release,
    without_manager,
)
from spidercoordinator.core.status.transitions import Transition
from spidercoordinator.errors import ApiConflictError, ApiError, ApiNotFoundError
from spidercoordinator.kube.client import FIELD_MANAGER
from spidercoordinator.kube.resource import (
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERMULTUSCONFIGS,
    Object,
    Resource,
)
from spidercoordinator.reconcilers.context import Context, network_key
from spidercoordinator.reconcilers.writes import Contest, Target, once_a_minute

logger = logging.getLogger(__name__)

_NAD: Final = NETWORK_ATTACHMENT_DEFINITIONS
_FIELDS: Final = (
    ("spec", "config"),
    ("metadata", "annotations", nad_api.NETWORK),
    ("metadata", "annotations", nad_api.CONTENT_HASH),
)
"""The fields that tell who else writes a NAD."""


async def sync(
    context: Context, network: Object, nad: Name, decision: Decision, observed: Object | None
) -> Contest | None:
    """Write the NAD that a network claims, if that was decided.

    Args:
        context: What reconcilers share.
        network: The network.
        nad: Namespace and name of the NAD.
        decision: What to write.
        observed: The NAD as it was when that was decided, None if there was none.

    Returns:
        Who else writes it, None if nobody does.

    Raises:
        ApiError: the API server refused or was not reached.
    """
    target = Target(_NAD, *nad, _FIELDS, uid=network["metadata"]["uid"])
    key = network_key(name_of(network))
    match decision:
        case Release():
            await _give_back(context, nad, decision)
            why = "its adopt annotation is gone"
            tell(context, SPIDERMULTUSCONFIGS, network, transitions.released(*nad, why))
        case Apply():
            again = decision.creates and _has_made(context, network, target)
            # What the NAD lacks may be the garbage collector's work: its owner, or all of it.
            if (again or decision.reclaims) and not await _stays(context, network):
                return None
            delayed = context.writes.delay(key, target, decision.digest)
            # In a contest there is one Event of its beginning, and none of each turn.
            quiet = delayed or context.writes.is_contested(key, target)
            write = partial(_apply, context, nad, decision)
            contest = await once_a_minute(context.writes, key, target, decision.digest, write)
            done = transitions.applied(network, decision, observed, again=again)
            if done and not quiet:
                tell(context, SPIDERMULTUSCONFIGS, network, done)
            return contest
        case InSync():
            return context.writes.settled(key, target)
        case Conflict() | Wait():
            pass
    return None


async def _apply(context: Context, nad: Name, decision: Apply) -> None:
    with context.stores.nads.write(nad) as answered:
        # Without force, creating a name that somebody has taken just now is refused.
        answer = await context.services.client.apply(
            _NAD, decision.body, force=not decision.creates
        )
        answered(answer)


def tell(context: Context, kind: Resource, about: Object, done: Transition) -> None:
    """Count what was done, and have an Event written about it."""
    context.services.metrics.nad_writes.labels(done.reason).inc()
    context.events.record(kind, about, done)


async def release(
    context: Context, network: Name, observed: Object | None, keep: Name | None = None
) -> None:
    """Delete or give back the NADs that were made from a network and that it has left.

    Args:
        context: What reconcilers share.
        network: Namespace and name of the network.
        observed: The network; None when it is gone.
        keep: The NAD it has now; None for a network that is gone.

    Raises:
        ApiError: the API server refused or was not reached.
    """
    uid = observed["metadata"]["uid"] if observed else ""
    for name in context.stores.index.products(network):
        nad = context.stores.nads.get(name)
        decision = decide_release(nad, uid=uid) if nad and name != keep else None
        if nad is None or decision is None:
            continue
        if observed is None and not await _is_gone(context, network):
            return
        try:
            done = await _give_up(context, name, decision, keep)
        except ApiError as error:
            if observed is None:
                _tell_refusal(context, network, nad, error)
            raise
        if observed is None:
            tell(context, _NAD, nad, done)
        else:
            tell(context, SPIDERMULTUSCONFIGS, observed, done)


async def _give_up(
    context: Context, nad: Name, decision: Delete | Release, keep: Name | None
) -> Transition:
    if isinstance(decision, Delete):
        await _delete(context, nad, decision)
        return transitions.deleted(*nad, keep[1] if keep else "")
    await _give_back(context, nad, decision)
    why = f"its network now has {keep[1]}" if keep else "its network is gone"
    return transitions.released(*nad, why)


def _tell_refusal(context: Context, network: Name, nad: Object, error: ApiError) -> None:
    """By an Event about the NAD, since the network that could tell it in its status is gone."""
    problem, new = context.problems.failed(network_key(network), nad["metadata"]["name"], error)
    if problem and new:
        told = Transition("Warning", f"ReleaseRefused{problem.reason}", problem.message)
        context.events.record(_NAD, nad, told)


async def _delete(context: Context, nad: Name, decision: Delete) -> None:
    preconditions = {"uid": decision.uid, "resourceVersion": decision.version}
    await context.services.client.delete(_NAD, nad[1], nad[0], preconditions=preconditions)


async def _give_back(context: Context, nad: Name, decision: Release) -> None:
    """Restore an adopted NAD; our part in its managed fields ends as well, where that is let."""
    client, (namespace, name) = context.services.client, nad
    with context.stores.nads.write(nad) as answered:
        answer = await client.patch(_NAD, name, namespace, patch=decision.patch)
        answered(answer)
        patch = without_manager(answer, FIELD_MANAGER)
        if patch is None:
            return
        try:
            answered(await client.patch(_NAD, name, namespace, patch=patch))
        except (ApiConflictError, ApiNotFoundError) as error:
            # Somebody was quicker; what is left is a name in the bookkeeping, and harms nothing.
            logger.info("managed fields of %s/%s stay: %s", namespace, name, error)


def _has_made(context: Context, network: Object, nad: Target) -> bool:
    """Whether the network has had this NAD already, also where its status does not tell yet."""
    known = (network.get("status") or {}).get("nad")
    return known == nad.name or context.writes.has_written(network_key(name_of(network)), nad)


async def _stays(context: Context, network: Object) -> bool:
    """Ask the API server whether a network is there and not being deleted, as the store shows it.

    The garbage collector's write of a NAD may be observed before the deletion that is its cause.
    """
    meta = network["metadata"]
    found = await context.services.client.find(SPIDERMULTUSCONFIGS, meta["name"], meta["namespace"])
    return (
        found is not None and found["metadata"]["uid"] == meta["uid"] and not is_terminating(found)
    )


async def _is_gone(context: Context, network: Name) -> bool:
    """Ask the API server, since a store may lack what exists, as while its kind is not served."""
    namespace, name = network
    try:
        await context.services.client.get(SPIDERMULTUSCONFIGS, name, namespace)
    except ApiNotFoundError as error:
        # A kind that is not served is not found either, and says nothing of its objects.
        if error.subject == name:
            return True
        raise
    logger.warning("%s is there, but was not observed", SPIDERMULTUSCONFIGS.describe(*network))
    return False
