"""One SpiderMultusConfig: parse, gather, decide, act.

`network_seen` and `attachment_seen` turn what the watches see into keys; `reconcile` makes it so
for one key. Nothing is ever asked of the API server that the stores know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from spidercoordinator.api.multus import SpiderMultusConfig
from spidercoordinator.api.objects import name_of
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
from spidercoordinator.errors import ApiNotFoundError, InvalidObjectError
from spidercoordinator.kube.resource import (
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERMULTUSCONFIGS,
    Object,
)
from spidercoordinator.reconcilers.context import Name, State, network_key, slim
from spidercoordinator.reconcilers.networkstatus import report
from spidercoordinator.runtime.workqueue import Key

_TERMINATING: Final = "NetworkAttachmentDefinition {0} is being deleted; a new one follows"


async def prime(state: State) -> None:
    """Fill the stores, so that the first decision knows every rival and every NAD.

    Raises:
        ApiError: The API server refused or was not reached.
    """
    for resource, store, note in (
        (NETWORK_ATTACHMENT_DEFINITIONS, state.attachments, state.claims.update_nad),
        (SPIDERMULTUSCONFIGS, state.networks, state.claims.update_network),
    ):
        try:
            things, _ = await state.api.list(resource)
        except ApiNotFoundError:
            continue
        for thing in things:
            if name_of(thing) not in store:
                store[name_of(thing)] = slim(thing)
                note(thing)


def network_seen(state: State, thing: Object, *, gone: bool = False) -> None:
    """Take in a network as a watch saw it, and have made so what it concerns."""
    network = name_of(thing)
    if gone:
        state.networks.pop(network, None)
        freed = state.claims.remove_network(network)
    elif _is_known(thing, state.networks.get(network)):
        return
    else:
        state.networks[network] = slim(thing)
        freed = state.claims.update_network(thing)
    _add(state, {network, *freed})


def attachment_seen(state: State, thing: Object, *, gone: bool = False) -> None:
    """Take in a NAD as a watch saw it, and have the networks made so that it concerns."""
    attachment = name_of(thing)
    if gone:
        state.attachments.pop(attachment, None)
        concerned = state.claims.remove_nad(attachment)
    elif _is_known(thing, state.attachments.get(attachment)):
        return
    else:
        state.attachments[attachment] = slim(thing)
        concerned = state.claims.update_nad(thing)
    _add(state, concerned)


def _is_known(thing: Object, known: Object | None) -> bool:
    """Whether the object is what our own write answered, or older.

    Versions of one object are numbers that grow (API conventions, Kubernetes 1.35).
    """
    if known is None or known["metadata"]["uid"] != thing["metadata"]["uid"]:
        return False
    seen, had = (each["metadata"]["resourceVersion"] for each in (thing, known))
    return bool(seen == had or (seen.isdecimal() and had.isdecimal() and int(seen) < int(had)))


async def reconcile(key: Key, state: State) -> None:
    """Make it so for one network, whether it is there or gone.

    Raises:
        ApiError: The API server refused or was not reached; try again later.
    """
    _, namespace, name = key
    network = (namespace, name)
    if not state.primed:
        return
    thing = state.networks.get(network)
    if thing is None or thing["metadata"].get("deletionTimestamp"):
        await _remove_products(state, network)
        state.stepped(network, None)
        return
    outcome, just_made = await _make_so(state, network, thing)
    await report(state, network, thing, outcome, just_made=just_made)


async def _make_so(state: State, network: Name, thing: Object) -> tuple[NetworkOutcome, bool]:
    """Gives what became of the network, and whether its NAD had to be written."""
    try:
        config = parse(thing)
    except InvalidObjectError as error:
        state.stepped(network, None)
        return NetworkOutcome(obstacle=network_status.INVALID, message=str(error)), False
    desired = desired_nad(
        config,
        state.cluster,
        default_ipam=state.settings.default_ipam or {},
        coordinator_name=state.settings.name,
    )
    if not state.attachments_served:
        return NetworkOutcome(
            obstacle=network_status.NAD_CRD_MISSING, message=NAD_KIND_MISSING
        ), False
    attachment = (desired.namespace, desired.name)
    # Rivals decide one after the other: the second must see what the first has made.
    async with state.turns.setdefault(attachment, asyncio.Lock()):
        rivals = _rivals(state, network, desired)
        decision = decide(desired, state.attachments.get(attachment), rivals)
        await _act(state, attachment, decision)
    outcome = _outcome(state, config, desired, decision)
    if outcome.nad:
        await _remove_products(state, network, uid=desired.owner["uid"], but=attachment)
    _step(state, network, config, outcome)
    await _label(state, thing, config)
    return outcome, isinstance(decision, Apply)


def _rivals(state: State, network: Name, desired: DesiredNAD) -> Iterable[Object]:
    claimants = state.claims.claimants((desired.namespace, desired.name)) - {network}
    return [state.networks[name] for name in claimants if name in state.networks]


async def _act(state: State, attachment: Name, decision: Decision) -> None:
    match decision:
        case Apply(body=body, creates=creates):
            # Without force the creation of a name that somebody has taken just now is refused.
            answer = await state.api.apply(NETWORK_ATTACHMENT_DEFINITIONS, body, force=not creates)
        case Release(patch=patch):
            answer = await state.api.patch(
                NETWORK_ATTACHMENT_DEFINITIONS, attachment[1], attachment[0], patch=patch
            )
        case _:
            return
    state.attachments[attachment] = slim(answer)
    state.claims.update_nad(answer)


def _outcome(
    state: State, config: SpiderMultusConfig, desired: DesiredNAD, decision: Decision
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
            obstacle, message = _coordinator_obstacle(state, config)
            return NetworkOutcome(
                nad=desired.name,
                config_hash=desired.config_hash,
                obstacle=obstacle,
                message=message or f"NetworkAttachmentDefinition {full_name} is in sync",
                warnings=_warnings(config),
            )


def _coordinator_obstacle(state: State, config: SpiderMultusConfig) -> tuple[str, str]:
    if not depends_on_cluster(config):
        return "", ""
    if state.cluster is None:
        return network_status.COORDINATOR_NOT_READY, missing_coordinator(state.settings.name)
    if state.cluster.not_ready:
        return network_status.COORDINATOR_NOT_READY, state.cluster.not_ready
    return "", ""


def _warnings(config: SpiderMultusConfig) -> list[ConditionState]:
    own = config.spec.coordinator
    if own is None or not own.veth_link_address:
        return []
    verdict = link_address_condition(own.veth_link_address)
    return [] if verdict.status else [verdict]


def _step(state: State, network: Name, config: SpiderMultusConfig, outcome: NetworkOutcome) -> None:
    if outcome.nad and state.cluster is not None and depends_on_cluster(config):
        state.stepped(network, state.cluster.revision)
    else:
        state.stepped(network, None)


async def _remove_products(
    state: State, network: Name, *, uid: str = "", but: Name | None = None
) -> None:
    """Delete the NADs made from a network, or release them, except one.

    Args:
        state: The state.
        network: The network, which may be gone.
        uid: Only NADs of the network with this uid; empty for a network that is gone.
        but: The NAD to keep.
    """
    for attachment in state.claims.products(network):
        thing = state.attachments.get(attachment)
        if thing is None or attachment == but or thing["metadata"].get("deletionTimestamp"):
            continue
        maker = maker_uid(thing)
        if uid and maker != uid:
            continue
        await _release(state, attachment, thing)


async def _release(state: State, attachment: Name, thing: Object) -> None:
    namespace, name = attachment
    if is_adopted(thing):
        patch = release_patch(thing)
        await state.api.patch(NETWORK_ATTACHMENT_DEFINITIONS, name, namespace, patch=patch)
    elif controller_uid(thing):
        await state.api.delete(NETWORK_ATTACHMENT_DEFINITIONS, name, namespace)


async def _label(state: State, thing: Object, config: SpiderMultusConfig) -> None:
    """Keep the labels that mirror the inject annotations; those of the user are left alone."""
    wanted = injected_labels(config)
    labels = thing["metadata"].get("labels") or {}
    present = {key: labels[key] for key in INJECTION_KEYS if key in labels}
    if wanted == present:
        return
    meta = {"name": config.metadata.name, "namespace": config.metadata.namespace}
    body = {"metadata": {**meta, "uid": config.metadata.uid, "labels": wanted}}
    await state.api.apply(SPIDERMULTUSCONFIGS, body)


def _add(state: State, networks: Iterable[Name]) -> None:
    for namespace, name in networks:
        state.queue.add(network_key(namespace, name))
