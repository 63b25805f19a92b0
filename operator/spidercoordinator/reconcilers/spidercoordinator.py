"""Make a SpiderCoordinator so: finalizer, CIDRs, status, what networks are rendered from."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import ValidationError

from spidercoordinator.api.coordinator import FINALIZER, SpiderCoordinatorSpec
from spidercoordinator.core.cidrs.selection import DiscoveredCIDRs, select_cidrs
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.coordinator.status import (
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
from spidercoordinator.kube.events import post
from spidercoordinator.kube.resource import SPIDERCOORDINATORS, Object
from spidercoordinator.reconcilers.context import State, coordinator_key, slim
from spidercoordinator.reconcilers.nodedefaults import apply_node_defaults
from spidercoordinator.runtime.workqueue import Key

logger = logging.getLogger(__name__)

_KIND: Final = SPIDERCOORDINATORS
_SOON: Final = 0.1
_ASK_AGAIN: Final = 60.0
"""Seconds between two dry runs."""


async def reconcile(key: Key, state: State) -> None:
    """Make one SpiderCoordinator so.

    Raises:
        ApiError: the API server refused or was not reached; call again.
    """
    name = key[1]
    effective = name == state.settings.name
    thing = state.coordinators.get(name)
    if thing is None or thing["metadata"].get("deletionTimestamp"):
        if effective:
            take(state, None)
            await apply_node_defaults(state)
        if thing is not None:
            await _let_go(state, thing)
    elif effective:
        await _serve(state, thing)
        await _hold(state, state.coordinators.get(name) or thing)
    else:
        meta = thing["metadata"]
        status = not_selected_status(name, state.settings.name, meta["generation"], _now())
        await _write(state, thing, status)


def take(state: State, cluster: ClusterConfig | None) -> None:
    """Make this what networks are rendered from, and render them where it differs."""
    changed = state.cluster != cluster or not state.primed
    state.cluster, state.primed = cluster, True
    if changed:
        logger.info(
            "networks are rendered anew",
            extra={"revision": cluster.revision if cluster else "none", "of": len(state.networks)},
        )
        state.add_all_networks()


async def _serve(state: State, thing: Object) -> None:
    meta, before = thing["metadata"], thing.get("status") or {}
    try:
        spec = SpiderCoordinatorSpec.model_validate(thing.get("spec") or {})
    except ValidationError as error:
        # The CRD refuses such an object; this one is older than the rule it breaks.
        text = "; ".join(f"spec.{problem}" for problem in schema_problems(error))
        take(state, ClusterConfig(meta["name"], SpiderCoordinatorSpec(), not_ready=text))
        await _write(state, thing, invalid_spec_status(text, meta["generation"], before, _now()))
        return
    outcome = compute_status(
        StatusInputs(
            name=meta["name"],
            generation=meta["generation"],
            spec=spec,
            discovered=await _discover(state, spec),
            nad_kind_served=state.attachments_served,
            previous=before,
            now=_now(),
            istio=state.discovery.istio(),
        )
    )
    take(state, outcome.cluster)
    if _too_early(state):
        state.queue.add(coordinator_key(meta["name"]), after=_SOON)
        return
    networks = count_networks(
        state.in_step.get(name) == outcome.cluster.revision
        for name, network in state.networks.items()
        if depends_on_cluster(network)
    )
    await _write(state, thing, outcome.status | {"networks": networks})
    await apply_node_defaults(state)


def _too_early(state: State) -> bool:
    """Whether the operator has just begun, and a count of networks would be of half of them."""
    others_at_work = state.queue.busy > 1
    state.patience = state.patience - 1 if others_at_work else 0
    return state.patience > 0


async def _discover(state: State, spec: SpiderCoordinatorSpec) -> DiscoveredCIDRs:
    reports, plugins = state.discovery.reports(), state.discovery.plugins()
    discovered = select_cidrs(spec, reports, plugins)
    if discovered.service.source:
        return discovered
    # The one source that cannot be watched: asked when nobody else knows, and again later.
    asked = await servicedryrun.ask(state.api, state.settings.namespace)
    state.queue.add(coordinator_key(state.settings.name), after=_ASK_AGAIN)
    return select_cidrs(spec, [*reports, asked], plugins)


async def _write(state: State, thing: Object, status: dict[str, Any]) -> None:
    before: Object = thing.get("status") or {}
    patch = merge_patch(before, status)
    if not patch:
        return
    name = thing["metadata"]["name"]
    answer = await state.api.patch(_KIND, name, patch={"status": patch}, subresource="status")
    state.coordinators[name] = slim(answer)
    for told in coordinator_transitions(before, status):
        await post(
            state.api,
            _KIND,
            thing,
            type_=told.type,
            reason=told.reason,
            message=told.message,
            now=_now(),
        )


async def _hold(state: State, thing: Object) -> None:
    finalizers = thing["metadata"].get("finalizers") or []
    if FINALIZER not in finalizers:
        await _write_finalizers(state, thing, [*finalizers, FINALIZER])


async def _let_go(state: State, thing: Object) -> None:
    finalizers = thing["metadata"].get("finalizers") or []
    if FINALIZER in finalizers:
        await _write_finalizers(state, thing, [each for each in finalizers if each != FINALIZER])


async def _write_finalizers(state: State, thing: Object, finalizers: list[str]) -> None:
    # With the resource version, so that a finalizer somebody adds meanwhile is not lost.
    meta = thing["metadata"]
    version = meta["resourceVersion"]
    patch = {"metadata": {"finalizers": finalizers, "resourceVersion": version}}
    answer = await state.api.patch(_KIND, meta["name"], patch=patch)
    state.coordinators[meta["name"]] = slim(answer)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
