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
from spidercoordinator.core.network.ownership import (
    Apply,
    Conflict,
    Decision,
    Wait,
    decide,
)
from spidercoordinator.core.network.release import Release
from spidercoordinator.core.network.status import NetworkOutcome
from spidercoordinator.core.network.validation import parse
from spidercoordinator.core.status.conditions import ConditionState
from spidercoordinator.errors import InvalidObjectError
from spidercoordinator.kube.resource import SPIDERMULTUSCONFIGS, Object
from spidercoordinator.reconcilers import nads
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
        _record(context, network, None)
        context.refused_statuses.pop(network, None)
        if observed is None:
            # Its NAD is the garbage collector's, by the owner reference; adopted ones have none.
            await nads.release(context, network, None)
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
    # Rivals decide one after the other: the second must see what the first has made.
    async with context.nad_locks.setdefault(nad_key, asyncio.Lock()):
        rivals = _rivals(context, network, desired)
        nad = context.stores.nads.get(nad_key)
        decision = decide(desired, nad, rivals)
        if isinstance(decision, Apply | Release):
            await nads.write(context, observed, nad_key, decision, nad)
    outcome = _outcome(context, config, desired, decision)
    if outcome.nad:
        await nads.release(context, network, observed, keep=nad_key)
    in_sync = bool(outcome.nad and depends_on_cluster(config))
    cluster = context.decided.cluster if in_sync else None
    _record(context, network, cluster.revision if cluster else None)
    await _label(context, observed, config)
    return outcome, isinstance(decision, Apply)


def _rivals(context: Context, network: Name, desired: DesiredNAD) -> Iterable[Object]:
    stores = context.stores
    claimants = stores.index.claimants((desired.namespace, desired.name)) - {network}
    return [stores.networks[name] for name in claimants if name in stores.networks]


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
            obstacle, message = _coordinator_obstacle(context, config)
            return NetworkOutcome(
                nad=desired.name,
                config_hash=desired.config_hash,
                obstacle=obstacle,
                message=message or f"NetworkAttachmentDefinition {full_name} is in sync",
                warnings=_warnings(config),
            )


def _coordinator_obstacle(context: Context, config: SpiderMultusConfig) -> tuple[str, str]:
    if not depends_on_cluster(config):
        return "", ""
    if context.decided.cluster is None:
        return network_status.COORDINATOR_NOT_READY, missing_coordinator(
            context.services.settings.name
        )
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
