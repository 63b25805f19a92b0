"""One SpiderMultusConfig: parse, gather, decide, act.

Nothing is ever asked of the API server that the stores know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from spidercoordinator.api.multus import SpiderMultusConfig
from spidercoordinator.api.objects import Name, name_of
from spidercoordinator.core.coordinator.section import missing_coordinator
from spidercoordinator.core.coordinator.status import NAD_KIND_MISSING
from spidercoordinator.core.network import status as network_status
from spidercoordinator.core.network.conditions import network_conditions
from spidercoordinator.core.network.desired import (
    DesiredNAD,
    config_hash,
    depends_on_cluster,
    desired_nad,
    list_version,
)
from spidercoordinator.core.network.ipam import NO_IPAM
from spidercoordinator.core.network.lastknown import KEPT, keep_last_known, says_not_ready
from spidercoordinator.core.network.ownership import (
    Apply,
    Conflict,
    Decision,
    Wait,
    decide,
    is_ours,
)
from spidercoordinator.core.network.release import Release
from spidercoordinator.core.network.status import NetworkOutcome
from spidercoordinator.core.network.validation import parse
from spidercoordinator.core.nodes.findings import Served, kept, served
from spidercoordinator.core.status.problems import blocked_condition
from spidercoordinator.errors import ApiError, InvalidObjectError, SpiderCoordinatorError
from spidercoordinator.kube.crash import brief
from spidercoordinator.kube.resource import Object
from spidercoordinator.reconcilers import fleet, labels, nads, ranges
from spidercoordinator.reconcilers.context import Context, Decided, network_key
from spidercoordinator.reconcilers.networkstatus import STATUS, report, waits_for_others
from spidercoordinator.runtime.workqueue import Key

_NAD: Final = "NAD"
_NOT_SERVED: Final = NetworkOutcome(
    obstacle=network_status.NAD_CRD_MISSING, message=NAD_KIND_MISSING
)
_BUG: Final = "unexpected error, a bug of the operator; the NAD stays as it is, and it tries again"
_TERMINATING: Final = "NetworkAttachmentDefinition {0} is being deleted; a new one follows"


@dataclass(frozen=True, slots=True)
class _Synced:
    """What became of a network.

    Attributes:
        outcome: for its status.
        nad_written: whether its NAD had to be written.
        errors: for the work queue, which tries again.
    """

    outcome: NetworkOutcome
    nad_written: bool = False
    errors: Sequence[Exception] = ()


async def reconcile(key: Key, context: Context) -> None:
    """Reconcile one network, whether it is there or gone.

    Raises:
        ApiError: The API server refused or was not reached; try again later.
        Exception: Nobody expected it; the network's status tells of it; try again later.
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
            fleet.measure(context, network, [])
            context.problems.forget(network_key(network))
            context.writes.forget(network_key(network))
        return
    synced = await _synced(context, network, observed)
    if synced is None:
        context.enqueue_network(network, low_priority=True)
        return
    blocked = blocked_condition(context.problems.of(network_key(network), _NAD, STATUS))
    outcome = replace(synced.outcome, warnings=[*synced.outcome.warnings, *blocked])
    await report(context, network, observed, outcome, nad_written=synced.nad_written)
    for error in synced.errors:
        # Told in the status; what is refused today may be allowed tomorrow.
        raise error


async def _synced(context: Context, network: Name, observed: Object) -> _Synced | None:
    """What became of the NAD, also where a bug of the operator is in the way.

    None if it was written, and all else waits for the NADs of others (docs/decisions/0007).
    """
    try:
        return await _sync_nad(context, network, observed)
    except SpiderCoordinatorError:
        raise
    except Exception as error:  # noqa: BLE001 - the network says so, and the queue tries again
        _record(context, network, None)
        status = observed.get("status") or {}
        outcome = NetworkOutcome(
            nad=status.get("nad", ""),
            config_hash=status.get("configHash", ""),
            obstacle=network_status.RECONCILE_FAILED,
            message=f"{_BUG}: {brief(error)}",
        )
        return _Synced(outcome, errors=[error])


async def _sync_nad(context: Context, network: Name, observed: Object) -> _Synced | None:
    try:
        config = parse(observed)
    except InvalidObjectError as error:
        _record(context, network, None)
        return _Synced(NetworkOutcome(obstacle=network_status.INVALID, message=str(error)))
    # What is decided while the API server answers is not in the NAD, and has it reconciled again.
    decided = replace(context.decided)
    desired = desired_nad(
        config,
        decided.cluster,
        default_ipam=decided.default_ipam,
        coordinator_name=context.services.settings.name,
    )
    if not decided.nads_served:
        return _Synced(_NOT_SERVED)
    key, nad_key = network_key(network), (desired.namespace, desired.name)
    if decided.cluster is None and depends_on_cluster(config):
        desired = keep_last_known(desired, context.stores.nads.get(nad_key))
    # Rivals decide one after the other: the second must see what the first has made.
    async with context.nad_locks.setdefault(nad_key, asyncio.Lock()):
        nad = context.stores.nads.get(nad_key)
        decision = decide(desired, nad, _rivals(context, network, desired))
        try:
            contest = await nads.sync(context, observed, nad_key, decision, nad)
        except ApiError as error:
            return _refused(context, network, desired, error)
    context.problems.passed(key, _NAD)
    if isinstance(decision, Apply) and contest is None and waits_for_others(context, observed):
        _record_rendered(context, network, decided, config)
        return None
    outcome = _outcome(context, decided, config, desired, decision)
    if contest is not None:
        context.enqueue_network(network, after=contest.wait)
        outcome = replace(outcome, obstacle=network_status.NAD_CONTESTED, message=contest.message)
    _record_rendered(context, network, decided, config if outcome.nad else None)
    errors = await _write_rest(context, observed, config, nad_key if outcome.nad else None)
    return _Synced(outcome, isinstance(decision, Apply), errors)


async def _write_rest(
    context: Context, observed: Object, config: SpiderMultusConfig, nad: Name | None
) -> list[Exception]:
    """Write what goes with a network beside its NAD, if it has one; gives what went wrong."""
    network = name_of(observed)
    writes = {"labels": partial(labels.sync, context, observed, config)}
    if nad is not None:
        writes["former NADs"] = partial(nads.release, context, network, observed, nad)
    key = network_key(network)
    errors = [await context.problems.attempt(key, what, each) for what, each in writes.items()]
    return [each for each in errors if each]


def _refused(context: Context, network: Name, desired: DesiredNAD, error: ApiError) -> _Synced:
    """The NAD could not be written: the network says so, unless the next try will likely do.

    Raises:
        ApiError: the error, where it will.
    """
    _record(context, network, None)
    problem, _ = context.problems.failed(network_key(network), _NAD, error)
    if problem is None:
        raise error
    nad = context.stores.nads.get((desired.namespace, desired.name))
    there = nad is not None and is_ours(desired, nad)
    outcome = NetworkOutcome(
        nad=desired.name if there else "",
        config_hash=config_hash((nad.get("spec") or {}).get("config", "")) if nad else "",
        obstacle=network_status.NAD_REFUSED,
        reason=f"NAD{problem.reason}",
        message=problem.message,
    )
    return _Synced(outcome, errors=[error])


def _rivals(context: Context, network: Name, desired: DesiredNAD) -> Iterable[Object]:
    stores = context.stores
    claimants = stores.index.claimants((desired.namespace, desired.name)) - {network}
    return [stores.networks[name] for name in claimants if name in stores.networks]


def _outcome(
    context: Context,
    decided: Decided,
    config: SpiderMultusConfig,
    desired: DesiredNAD,
    decision: Decision,
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
            name = context.services.settings.name
            obstacle, message = _obstacle(decided, config, desired, coordinator_name=name)
            by_nodes = _by_nodes(context, decided, config)
            warnings = network_conditions(
                config.spec,
                decided.cluster,
                decided.ipam,
                cni_version=list_version(config.metadata.annotations),
                overlap=ranges.overlap(context, (desired.namespace, config.metadata.name)),
                node_address=ranges.node_address(context, config),
                shared_link=ranges.shared_link(context, config),
            )
            return NetworkOutcome(
                nad=desired.name,
                config_hash=desired.config_hash,
                obstacle=obstacle,
                message=message or f"NetworkAttachmentDefinition {full_name} is in sync",
                warnings=[*warnings, *by_nodes.conditions],
                blocking=by_nodes.blocking,
            )


def _by_nodes(context: Context, decided: Decided, config: SpiderMultusConfig) -> Served:
    """Whether nodes have what pods of the network need."""
    network = (config.metadata.namespace, config.metadata.name)
    found = fleet.lacking(decided, config)
    if found is None or decided.fleet is None:
        observed = context.stores.networks.get(network) or {}
        return kept(observed.get("status") or {})
    fleet.measure(context, network, found)
    return served(found, decided.fleet)


def _obstacle(
    decided: Decided, config: SpiderMultusConfig, desired: DesiredNAD, *, coordinator_name: str
) -> tuple[str, str]:
    """Why pods of a network whose NAD is as desired do not start, if they do not."""
    if desired.lacks_ipam:
        return network_status.NO_IPAM, NO_IPAM
    if not depends_on_cluster(config):
        return "", ""
    if decided.cluster is None:
        missing = missing_coordinator(coordinator_name)
        message = missing if says_not_ready(desired.config) else f"{missing}; {KEPT}"
        return network_status.COORDINATOR_NOT_READY, message
    if decided.cluster.not_ready:
        return network_status.COORDINATOR_NOT_READY, decided.cluster.not_ready
    return "", ""


def _record(context: Context, network: Name, revision: str | None) -> None:
    """Note what the network was rendered from; the SpiderCoordinator counts it a moment later."""
    if context.progress.record(network, revision):
        context.enqueue_coordinator(after=1.0)


def _record_rendered(
    context: Context, network: Name, decided: Decided, config: SpiderMultusConfig | None
) -> None:
    """Note what the network's NAD was rendered from; None for a network that has none."""
    cluster = decided.cluster if config is not None and depends_on_cluster(config) else None
    _record(context, network, cluster.revision if cluster else None)
