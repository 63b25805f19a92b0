"""One SpiderMultusConfig: parse, gather, decide, act.

Nothing is ever asked of the API server that the stores know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from spidercoordinator.api.multus import SpiderMultusConfig
from spidercoordinator.api.objects import Name
from spidercoordinator.core.coordinator.linkaddress import link_address_condition
from spidercoordinator.core.coordinator.section import missing_coordinator
from spidercoordinator.core.coordinator.status import NAD_KIND_MISSING
from spidercoordinator.core.network import status as network_status
from spidercoordinator.core.network.desired import (
    INJECTION_KEYS,
    DesiredNAD,
    depends_on_cluster,
    desired_nad,
    injected_labels,
)
from spidercoordinator.core.network.lastknown import KEPT, keep_last_known, says_not_ready
from spidercoordinator.core.network.ownership import (
    Apply,
    Conflict,
    Decision,
    InSync,
    Release,
    Wait,
    controller_uid,
    decide,
    is_adopted,
    maker_uid,
    release_patch,
)
from spidercoordinator.core.network.status import NetworkOutcome
from spidercoordinator.core.network.validation import parse
from spidercoordinator.core.status.conditions import ConditionState
from spidercoordinator.errors import InvalidObjectError
from spidercoordinator.kube.resource import (
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERMULTUSCONFIGS,
    Object,
)
from spidercoordinator.reconcilers.context import Context
from spidercoordinator.reconcilers.networkstatus import report
from spidercoordinator.runtime.workqueue import Key

_TERMINATING: Final = "NetworkAttachmentDefinition {0} is being deleted; a new one follows"


async def reconcile(key: Key, context: Context) -> None:
    """Reconcile one network, whether it is there or gone.

    Raises:
        ApiError: The API server refused or was not reached; try again later.
    """
    _, namespace, name = key
    network = (namespace, name)
    try:
        await _reconcile(context, network)
    finally:
        if context.progress.reconciled(network):
            context.enqueue_coordinator()


async def _reconcile(context: Context, network: Name) -> None:
    observed = context.stores.networks.get(network)
    if observed is None or observed["metadata"].get("deletionTimestamp"):
        await _release_nads(context, network)
        context.refused_statuses.pop(network, None)
        _record(context, network, None)
        return
    outcome, applied = await _sync_nad(context, network, observed)
    await report(context, network, observed, outcome, nad_written=applied)


async def _sync_nad(
    context: Context, network: Name, observed: Object
) -> tuple[NetworkOutcome, bool]:
    """Give what became of the network, and whether its NAD had to be written."""
    try:
        config = parse(observed)
    except InvalidObjectError as error:
        _record(context, network, None)
        return NetworkOutcome(obstacle=network_status.INVALID, message=str(error)), False
    desired = desired_nad(
        config,
        context.decided.cluster,
        default_ipam=context.services.settings.default_ipam,
        coordinator_name=context.services.settings.name,
    )
    if not context.decided.nads_served:
        return NetworkOutcome(
            obstacle=network_status.NAD_CRD_MISSING, message=NAD_KIND_MISSING
        ), False
    nad_key = (desired.namespace, desired.name)
    if context.decided.cluster is None and depends_on_cluster(config):
        desired = keep_last_known(desired, context.stores.nads.get(nad_key))
    # Rivals decide one after the other: the second must see what the first has made.
    async with context.nad_locks.setdefault(nad_key, asyncio.Lock()):
        rivals = _rivals(context, network, desired)
        decision = decide(desired, context.stores.nads.get(nad_key), rivals)
        await _act(context, nad_key, decision)
    outcome = _outcome(context, config, desired, decision)
    if outcome.nad:
        await _release_nads(context, network, uid=desired.owner["uid"], keep=nad_key)
    in_sync = bool(outcome.nad and depends_on_cluster(config))
    cluster = context.decided.cluster if in_sync else None
    _record(context, network, cluster.revision if cluster else None)
    await _label(context, observed, config)
    return outcome, isinstance(decision, Apply)


def _rivals(context: Context, network: Name, desired: DesiredNAD) -> Iterable[Object]:
    stores = context.stores
    claimants = stores.index.claimants((desired.namespace, desired.name)) - {network}
    return [stores.networks[name] for name in claimants if name in stores.networks]


async def _act(context: Context, nad: Name, decision: Decision) -> None:
    client, (namespace, name) = context.services.client, nad
    with context.stores.nads.write(nad) as answered:
        match decision:
            case Apply(body=body, creates=creates):
                # Without force, creating a name that somebody has taken just now is refused.
                answered(
                    await client.apply(NETWORK_ATTACHMENT_DEFINITIONS, body, force=not creates)
                )
            case Release(patch=patch):
                answered(
                    await client.patch(NETWORK_ATTACHMENT_DEFINITIONS, name, namespace, patch=patch)
                )
            case InSync() | Conflict() | Wait():
                pass


def _outcome(
    context: Context, config: SpiderMultusConfig, desired: DesiredNAD, decision: Decision
) -> NetworkOutcome:
    full_name = f"{desired.namespace}/{desired.name}"
    match decision:
        case Conflict(message=message):
            return NetworkOutcome(obstacle=network_status.NAME_CONFLICT, message=message)
        case Release():
            message = f"NetworkAttachmentDefinition {full_name} was released"
            return NetworkOutcome(obstacle=network_status.NAME_CONFLICT, message=message)
        case Wait():
            message = _TERMINATING.format(full_name)
            return NetworkOutcome(obstacle=network_status.NAD_TERMINATING, message=message)
        case _:
            obstacle, message = _coordinator_obstacle(context, config, desired)
            return NetworkOutcome(
                nad=desired.name,
                config_hash=desired.config_hash,
                obstacle=obstacle,
                message=message or f"NetworkAttachmentDefinition {full_name} is in sync",
                warnings=_warnings(config),
            )


def _coordinator_obstacle(
    context: Context, config: SpiderMultusConfig, desired: DesiredNAD
) -> tuple[str, str]:
    if not depends_on_cluster(config):
        return "", ""
    if context.decided.cluster is None:
        missing = missing_coordinator(context.services.settings.name)
        message = missing if says_not_ready(desired.config) else f"{missing}; {KEPT}"
        return network_status.COORDINATOR_NOT_READY, message
    if context.decided.cluster.not_ready:
        return network_status.COORDINATOR_NOT_READY, context.decided.cluster.not_ready
    return "", ""


def _warnings(config: SpiderMultusConfig) -> list[ConditionState]:
    settings = config.spec.coordinator
    if settings is None or not settings.veth_link_address:
        return []
    condition = link_address_condition(settings.veth_link_address)
    return [] if condition.status else [condition]


def _record(context: Context, network: Name, revision: str | None) -> None:
    """Note what the network was rendered from; the SpiderCoordinator counts it a moment later."""
    if context.progress.record(network, revision):
        context.enqueue_coordinator(after=1.0)


async def _release_nads(
    context: Context, network: Name, *, uid: str = "", keep: Name | None = None
) -> None:
    """Delete the NADs made from a network, or release those that were adopted, except one.

    Args:
        context: What reconcilers share.
        network: The network, which may be gone.
        uid: Only NADs of the network with this uid; empty for a network that is gone.
        keep: The NAD to keep.
    """
    for name in context.stores.index.products(network):
        nad = context.stores.nads.get(name)
        if nad is None or name == keep or nad["metadata"].get("deletionTimestamp"):
            continue
        if not uid or maker_uid(nad) == uid:
            await _release(context, name, nad)


async def _release(context: Context, nad: Name, observed: Object) -> None:
    client, (namespace, name) = context.services.client, nad
    if is_adopted(observed):
        patch = release_patch(observed)
        await client.patch(NETWORK_ATTACHMENT_DEFINITIONS, name, namespace, patch=patch)
    elif controller_uid(observed):
        await client.delete(NETWORK_ATTACHMENT_DEFINITIONS, name, namespace)


async def _label(context: Context, observed: Object, config: SpiderMultusConfig) -> None:
    """Keep the labels that mirror the inject annotations; those of the user are left alone."""
    desired = injected_labels(config)
    labels = observed["metadata"].get("labels") or {}
    present = {key: labels[key] for key in INJECTION_KEYS if key in labels}
    if desired == present:
        return
    meta = {"name": config.metadata.name, "namespace": config.metadata.namespace}
    body = {"metadata": {**meta, "uid": config.metadata.uid, "labels": desired}}
    await context.services.client.apply(SPIDERMULTUSCONFIGS, body)
