"""Reconcile a SpiderCoordinator: finalizer, CIDRs, status, what networks are rendered from."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import ValidationError

from spidercoordinator.api.coordinator import FINALIZER, SpiderCoordinatorSpec
from spidercoordinator.core.cidrs.selection import DiscoveredCIDRs, select_cidrs
from spidercoordinator.core.coordinator.cluster import ClusterConfig
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
from spidercoordinator.core.network.validation import schema_problems
from spidercoordinator.core.status.mergepatch import merge_patch
from spidercoordinator.discovery import servicedryrun
from spidercoordinator.errors import ApiNotFoundError
from spidercoordinator.kube.events import post
from spidercoordinator.kube.resource import SPIDERCOORDINATORS, Object
from spidercoordinator.reconcilers.context import Context
from spidercoordinator.reconcilers.nodedefaults import apply_node_defaults
from spidercoordinator.runtime.workqueue import Key

logger = logging.getLogger(__name__)

_KIND: Final = SPIDERCOORDINATORS
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
        if effective:
            context.services.metrics.ready.set(0)
            decide_cluster(context, None)
            await apply_node_defaults(context)
        if observed is not None:
            await _remove_finalizer(context, observed)
    elif effective:
        await _reconcile_effective(context, observed)
        await _add_finalizer(context, context.stores.coordinators.get(("", name), observed))
    else:
        generation = observed["metadata"]["generation"]
        status = not_selected_status(name, context.services.settings.name, generation, _now())
        await _write_status(context, observed, status)


def decide_cluster(context: Context, cluster: ClusterConfig | None) -> None:
    """Render networks from this from now on, and enqueue them where it differs."""
    decided = context.decided
    changed = decided.cluster != cluster or not decided.known
    _log_decision(context, cluster)
    if not decided.known:
        context.progress.begin(context.stores.networks)
    decided.cluster, decided.known = cluster, True
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
        text = "there is no SpiderCoordinator %s: pods of networks that need one do not start"
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
        await _write_status(
            context, observed, invalid_spec_status(text, meta["generation"], before, _now())
        )
        return
    outcome = compute_status(
        StatusInputs(
            name=meta["name"],
            generation=meta["generation"],
            spec=spec,
            discovered=await _discover(context, spec),
            nad_kind_served=context.decided.nads_served,
            previous=before,
            now=_now(),
            istio=context.services.discovery.istio(),
        )
    )
    context.services.metrics.ready.set(outcome.status["phase"] == SYNCED)
    decide_cluster(context, outcome.cluster)
    networks = _networks(context, outcome.cluster) or before.get("networks")
    await _write_status(context, observed, outcome.status | {"networks": networks})
    await apply_node_defaults(context)


def _networks(context: Context, cluster: ClusterConfig) -> dict[str, Any] | None:
    """The count of networks; None while some have not been reconciled once since the start."""
    if not context.progress.complete:
        return None
    return count_networks(
        context.progress.in_sync(name, cluster.revision)
        for name, network in context.stores.networks.items()
        if depends_on_cluster(network)
    )


async def _discover(context: Context, spec: SpiderCoordinatorSpec) -> DiscoveredCIDRs:
    services = context.services
    reports, plugins = services.discovery.reports(), services.discovery.plugins()
    discovered = select_cidrs(spec, reports, plugins)
    if discovered.service.source:
        return discovered
    # The one source that cannot be watched: asked when nobody else knows, and again later.
    asked = await servicedryrun.ask(services.client, services.settings.namespace)
    context.enqueue_coordinator(after=_ASK_AGAIN)
    return select_cidrs(spec, [*reports, asked], plugins)


async def _write_status(context: Context, observed: Object, status: dict[str, Any]) -> None:
    before: Object = observed.get("status") or {}
    patch = merge_patch(before, status)
    if not patch:
        return
    name = observed["metadata"]["name"]
    if not await _patch(context, name, {"status": patch}, subresource="status"):
        return
    for transition in coordinator_transitions(before, status):
        await post(context.services.client, _KIND, observed, transition, now=_now())


async def _add_finalizer(context: Context, observed: Object) -> None:
    finalizers = observed["metadata"].get("finalizers") or []
    if FINALIZER not in finalizers:
        await _write_finalizers(context, observed, [*finalizers, FINALIZER])


async def _remove_finalizer(context: Context, observed: Object) -> None:
    finalizers = observed["metadata"].get("finalizers") or []
    if FINALIZER in finalizers:
        remaining = [each for each in finalizers if each != FINALIZER]
        await _write_finalizers(context, observed, remaining)


async def _write_finalizers(context: Context, observed: Object, finalizers: list[str]) -> None:
    # With the resource version, so that a finalizer somebody adds meanwhile is not lost.
    meta = observed["metadata"]
    version = meta["resourceVersion"]
    patch = {"metadata": {"finalizers": finalizers, "resourceVersion": version}}
    await _patch(context, meta["name"], patch)


async def _patch(context: Context, name: str, patch: Object, *, subresource: str = "") -> bool:
    """Patch a SpiderCoordinator; False when it is gone, of which its event tells soon."""
    client = context.services.client
    with context.stores.coordinators.write(("", name)) as answered:
        try:
            answered(await client.patch(_KIND, name, patch=patch, subresource=subresource))
        except ApiNotFoundError:
            return False
    return True


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
