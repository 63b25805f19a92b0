"""Reconcile a SpiderCoordinator: finalizer, CIDRs, status, what networks are rendered from."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from functools import partial
from typing import Any, Final

from pydantic import ValidationError

from spidercoordinator.api.coordinator import FINALIZER, SpiderCoordinatorSpec
from spidercoordinator.core.cidrs.known import LastKnown, last_known
from spidercoordinator.core.cidrs.selection import DiscoveredCIDRs, select_cidrs
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.coordinator.damping import damp
from spidercoordinator.core.coordinator.status import (
    NOT_READY,
    SYNCED,
    StatusInputs,
    compute_status,
    count_networks,
    invalid_spec_status,
    not_selected_status,
)
from spidercoordinator.core.coordinator.transitions import coordinator_transitions
from spidercoordinator.core.network.desired import depends_on_cluster
from spidercoordinator.core.network.ipam import cluster_ipam
from spidercoordinator.core.network.validation import schema_problems
from spidercoordinator.core.status.conditions import set_conditions
from spidercoordinator.core.status.contention import digest_of
from spidercoordinator.core.status.mergepatch import merge_patch
from spidercoordinator.core.status.problems import blocked_condition, blocked_transition
from spidercoordinator.core.status.transitions import Transition
from spidercoordinator.discovery import servicedryrun
from spidercoordinator.errors import ApiError, ApiNotFoundError
from spidercoordinator.kube.resource import SPIDERCOORDINATORS, Object
from spidercoordinator.kube.timestamp import now
from spidercoordinator.reconcilers.context import Context, coordinator_key
from spidercoordinator.reconcilers.nodedefaults import apply_node_defaults
from spidercoordinator.reconcilers.statuswrites import StatusWrite, admitted, written
from spidercoordinator.reconcilers.writes import Target, once_a_minute
from spidercoordinator.runtime.workqueue import Key

logger = logging.getLogger(__name__)

_KIND: Final = SPIDERCOORDINATORS
_DEFAULTS: Final = "nodes' defaults"
_ASK_AGAIN: Final = 60.0
"""Seconds between two dry runs."""


async def reconcile(key: Key, context: Context) -> None:
    """Reconcile one SpiderCoordinator, whether it is there or gone.

    Raises:
        ApiError: the API server refused or was not reached; call again.
    """
    name = key[1]
    effective = name == context.services.settings.name
    observed = context.stores.coordinators.get(("", name))
    if observed is None or observed["metadata"].get("deletionTimestamp"):
        error = None
        if effective:
            context.services.metrics.ready.set(0)
            decide_cluster(context, None)
            error = await context.problems.attempt(
                key, _DEFAULTS, partial(apply_node_defaults, context)
            )
        if observed is not None:
            await _reported(context, observed, "finalizer", _remove_finalizer(context, observed))
        if error is not None:
            raise error
        if observed is None:
            context.problems.forget(key)
            context.writes.forget(key)
    elif effective:
        await _reconcile_effective(context, observed)
    else:
        generation = observed["metadata"]["generation"]
        status = not_selected_status(name, context.services.settings.name, generation, now())
        await _write_status(context, observed, status)


def decide_cluster(context: Context, cluster: ClusterConfig | None) -> None:
    """Render networks from this from now on, and enqueue them where it differs."""
    decided, writes = context.decided, context.writes
    damped = damp(decided.cluster, cluster, decided.history, writes.clock())
    decided.history = damped.history
    if damped.wait:
        logger.info("networks are rendered anew in %.0f s: this keeps changing", damped.wait)
        context.enqueue_coordinator(after=damped.wait)
    cluster = damped.cluster
    ipam = cluster_ipam(
        context.services.settings.default_ipam,
        context.services.discovery.spiderpool(),
        decided.ipam,
    )
    changed = (decided.cluster, decided.ipam) != (cluster, ipam) or not decided.known
    _log_decision(context, cluster)
    if not decided.known:
        context.progress.begin(context.stores.networks)
    decided.cluster, decided.ipam, decided.known = cluster, ipam, True
    if changed:
        revision = cluster.revision if cluster else "none"
        count = len(context.stores.networks)
        logger.info("networks are rendered anew", extra={"revision": revision, "of": count})
        context.enqueue_all_networks()


def _log_decision(context: Context, cluster: ClusterConfig | None) -> None:
    """Say what holds at the start, and that there is none any more; the rest are transitions.

    At the start, too, the status may differ from what was written last, which is a transition.
    """
    decided, name = context.decided, context.services.settings.name
    extra = {"object": _KIND.describe(name=name)}
    if cluster is None and (decided.cluster or not decided.known):
        text = (
            "there is no SpiderCoordinator %s: networks keep what they were rendered with last, and"
            " pods of new ones do not start"
        )
        logger.warning(text, name, extra=extra)
    elif cluster is not None and not decided.known:
        phase = NOT_READY if cluster.not_ready else SYNCED
        status = context.stores.coordinators[("", name)].get("status") or {}
        if status.get("phase") == phase:
            level = logging.INFO if phase == SYNCED else logging.WARNING
            logger.log(level, "it is %s: %s", phase, cluster.not_ready or "as before", extra=extra)


async def _reconcile_effective(context: Context, observed: Object) -> None:
    meta, before = observed["metadata"], observed.get("status") or {}
    try:
        spec = SpiderCoordinatorSpec.model_validate(observed.get("spec") or {})
    except ValidationError as error:
        # The CRD refuses such an object; this one is older than the rule it breaks.
        text = "; ".join(f"spec.{problem}" for problem in schema_problems(error))
        context.services.metrics.ready.set(0)
        decide_cluster(
            context, ClusterConfig(meta["name"], SpiderCoordinatorSpec(), not_ready=text)
        )
        await _finish(
            context, observed, invalid_spec_status(text, meta["generation"], before, now())
        )
        return
    outcome = compute_status(
        StatusInputs(
            name=meta["name"],
            generation=meta["generation"],
            spec=spec,
            discovered=await _discover(context, spec, last_known(before, meta["generation"])),
            nad_kind_served=context.decided.nads_served,
            previous=before,
            now=now(),
            istio=context.services.discovery.istio(),
            undetermined=context.services.discovery.undetermined(),
            nodes=context.services.discovery.node_addresses(),
        )
    )
    context.services.metrics.ready.set(outcome.status["phase"] == SYNCED)
    decide_cluster(context, outcome.cluster)
    networks = _networks(context, context.decided.cluster) or before.get("networks")
    await _finish(context, observed, outcome.status | {"networks": networks})


async def _finish(context: Context, observed: Object, status: Object) -> None:
    """Make all writes, the status last, which tells of those that were refused.

    Raises:
        ApiError: one was; call again.
    """
    key = coordinator_key(observed["metadata"]["name"])
    status = status | {"defaultIPAM": dict(context.decided.default_ipam) or None}
    writes = {
        _DEFAULTS: partial(apply_node_defaults, context),
        "finalizer": partial(_add_finalizer, context, observed),
    }
    errors = [await context.problems.attempt(key, what, each) for what, each in writes.items()]
    await _write_status(context, observed, status)
    for error in filter(None, errors):
        raise error


def _networks(context: Context, cluster: ClusterConfig | None) -> dict[str, Any] | None:
    """The count of networks; None while some have not been reconciled once since the start."""
    if cluster is None or not context.progress.complete:
        return None
    return count_networks(
        context.progress.in_sync(name, cluster.revision)
        for name, network in context.stores.networks.items()
        if depends_on_cluster(network)
    )


async def _discover(
    context: Context, spec: SpiderCoordinatorSpec, known: LastKnown
) -> DiscoveredCIDRs:
    services = context.services
    reports, plugins = services.discovery.reports(), services.discovery.plugins()
    discovered = select_cidrs(spec, reports, plugins, known)
    if discovered.service.told:
        return discovered
    # The one source that cannot be watched: asked when nobody else tells, and again later.
    asked = await servicedryrun.ask(services.client, services.settings.namespace)
    context.enqueue_coordinator(after=_ASK_AGAIN)
    return select_cidrs(spec, [*reports, asked], plugins, known)


async def _write_status(context: Context, observed: Object, status: dict[str, Any]) -> None:
    before: Object = observed.get("status") or {}
    meta = observed["metadata"]
    blocked = set_conditions(
        blocked_condition(context.problems.of(coordinator_key(meta["name"]), "status")),
        previous=before.get("conditions") or (),
        generation=meta["generation"],
        now=now(),
    )
    status = status | {"conditions": [*status["conditions"], *blocked]}
    key, target = coordinator_key(meta["name"]), _target(observed, "status")
    patch = merge_patch(before, status)
    if not patch:
        context.writes.settled(key, target)
        return
    digest = digest_of(status, "reason")
    wording = digest_of(before, "reason") == digest
    write = StatusWrite(key, target, digest, wording)
    if not await admitted(context, write, observed):
        return
    patched = _patch(context, meta["name"], {"status": patch}, subresource="status")
    if not await _reported(context, observed, "status", patched):
        return
    written(context, write)
    transitions = [*coordinator_transitions(before, status), blocked_transition(before, status)]
    for transition in filter(None, transitions):
        context.events.record(_KIND, observed, transition)


async def _reported(context: Context, observed: Object, what: str, write: Awaitable[bool]) -> bool:
    """Await a write whose refusal only an Event can tell; gives whether the object was there.

    Raises:
        ApiError: it was refused.
    """
    key = coordinator_key(observed["metadata"]["name"])
    try:
        there = await write
    except ApiError as error:
        problem, new = context.problems.failed(key, what, error)
        if problem and new:
            told = Transition("Warning", f"WriteRefused{problem.reason}", problem.message)
            context.events.record(_KIND, observed, told)
        raise
    context.problems.passed(key, what)
    return there


def _target(observed: Object, *path: str) -> Target:
    meta = observed["metadata"]
    return Target(_KIND, "", meta["name"], (path,), meta["uid"])


async def _add_finalizer(context: Context, observed: Object) -> None:
    finalizers = observed["metadata"].get("finalizers") or []
    key = coordinator_key(observed["metadata"]["name"])
    target, what = _target(observed, "metadata", "finalizers"), "finalizer in dispute"
    if FINALIZER in finalizers:
        contest = context.writes.settled(key, target)
    else:
        write = partial(_write_finalizers, context, observed, [*finalizers, FINALIZER])
        contest = await once_a_minute(context.writes, key, target, FINALIZER, write)
    context.note_contest(key, what, contest)


async def _remove_finalizer(context: Context, observed: Object) -> bool:
    finalizers = observed["metadata"].get("finalizers") or []
    remaining = [each for each in finalizers if each != FINALIZER]
    return remaining == finalizers or await _write_finalizers(context, observed, remaining)


async def _write_finalizers(context: Context, observed: Object, finalizers: list[str]) -> bool:
    # With the resource version, so that a finalizer somebody adds meanwhile is not lost.
    meta = observed["metadata"]
    version = meta["resourceVersion"]
    patch = {"metadata": {"finalizers": finalizers, "resourceVersion": version}}
    return await _patch(context, meta["name"], patch)


async def _patch(context: Context, name: str, patch: Object, *, subresource: str = "") -> bool:
    """Patch a SpiderCoordinator; False when it is gone, of which its event tells soon."""
    client = context.services.client
    with context.stores.coordinators.write(("", name)) as answered:
        try:
            answered(await client.patch(_KIND, name, patch=patch, subresource=subresource))
        except ApiNotFoundError:
            return False
    return True
