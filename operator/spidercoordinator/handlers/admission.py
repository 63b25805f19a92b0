"""The admission webhook: kopf serves it, `core.checks.admission` answers.

It is on when the chart names a ValidatingWebhookConfiguration. Nothing depends on it: its
failurePolicy is Ignore.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import kopf

from spidercoordinator.api.objects import name_of
from spidercoordinator.core.checks.admission import Review, review_coordinator, review_network
from spidercoordinator.core.network.desired import nad_name
from spidercoordinator.discovery.informers import note
from spidercoordinator.discovery.interfaces import installer_pods
from spidercoordinator.discovery.source import Observation
from spidercoordinator.errors import SpiderCoordinatorError
from spidercoordinator.kube.reflector import Follower
from spidercoordinator.kube.resource import (
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
    Object,
    Resource,
)
from spidercoordinator.reconcilers.context import State
from spidercoordinator.runtime.certificates import Keeper

logger = logging.getLogger(__name__)

_LOOK_EVERY: Final = 60.0
"""Seconds between two looks at Secret and configuration; another replica may have renewed."""
_FILES_EVERY: Final = 5.0
_INVALID: Final = 422


def register_webhooks(
    registry: kopf.OperatorRegistry, settings: kopf.OperatorSettings, state: State
) -> None:
    """Serve the webhook if one is configured; the handlers' ids are its paths."""
    if not state.settings.webhook_configuration:
        return
    installers = Observation()

    # In the event loop, where nothing changes the stores meanwhile: kopf runs others in threads.
    async def network(body: Any, old: Any, warnings: list[str], operation: str, **_: Any) -> None:
        if operation != "DELETE":
            before = plain(old) if old is not None else None
            _give(_review_network(state, installers, plain(body), before), warnings)

    async def coordinator(body: Any, warnings: list[str], operation: str, **_: Any) -> None:
        if operation != "DELETE":
            _give(review_coordinator(plain(body)), warnings)

    handlers: tuple[tuple[Resource, str, Any], ...] = (
        (SPIDERMULTUSCONFIGS, "validate-network", network),
        (SPIDERCOORDINATORS, "validate-coordinator", coordinator),
    )
    for resource, handler_id, review in handlers:
        kopf.on.validate(
            resource.group, resource.version, resource.plural, registry=registry, id=handler_id
        )(review)
    settings.admission.server = _serving(state, installers)


def plain(body: Any) -> Object:
    """An object as kopf shows it, as JSON data."""
    return {key: body[key] for key in ("metadata", "spec") if key in body}


def _review_network(
    state: State, installers: Observation, thing: Object, before: Object | None
) -> Review:
    namespace, name = name_of(thing)
    wanted = (namespace, nad_name(thing))
    others = state.claims.claimants(wanted) - {(namespace, name)}
    rivals = [state.networks[each] for each in others if each in state.networks]
    return review_network(
        thing,
        before,
        rivals=rivals,
        nad=state.attachments.get(wanted),
        nodes=installers.entries.values(),
    )


def _give(answer: Review, warnings: list[str]) -> None:
    warnings.extend(answer.warnings)
    if answer.refusals:
        text = "; ".join(map(str, answer.refusals))
        raise kopf.AdmissionError(text, code=_INVALID)


def _serving(state: State, installers: Observation) -> Any:
    async def serve(answer: Any) -> AsyncIterator[Any]:
        with tempfile.TemporaryDirectory(prefix="webhook-") as folder:
            keeper = Keeper(
                state.api.unfenced,  # every replica serves it, also one that stands by
                state.settings.namespace,
                state.settings.webhook_configuration,
                Path(folder),
            )
            await _begin(keeper)
            server = kopf.WebhookServer(
                port=state.settings.webhook_port,
                certfile=str(keeper.certificate_file),
                pkeyfile=str(keeper.key_file),
                file_check_interval=_FILES_EVERY,
            )
            background = [
                asyncio.create_task(_keep_on(keeper)),
                asyncio.create_task(_follow_installers(state, installers)),
            ]
            try:
                async for config in server(answer):
                    yield config
            finally:
                for each in background:
                    each.cancel()

    return serve


async def _begin(keeper: Keeper) -> None:
    while True:
        if await _kept(keeper):
            return
        await asyncio.sleep(_FILES_EVERY)


async def _keep_on(keeper: Keeper) -> None:
    while True:
        await asyncio.sleep(_LOOK_EVERY)
        await _kept(keeper)


async def _kept(keeper: Keeper) -> bool:
    try:
        await keeper.keep()
    except SpiderCoordinatorError as error:
        logger.warning("the webhook's certificate cannot be kept: %s", error)
        return False
    return True


async def _follow_installers(state: State, installers: Observation) -> None:
    """Keep true what the nodes told of their interfaces; only the webhook asks for it."""
    if not state.settings.installer_pods:
        return
    topic = installer_pods(state.settings.namespace, state.settings.installer_pods)
    async for seen in Follower(state.api, topic.selection).follow():
        if note(topic, installers, seen) and installers.error:
            logger.warning("missing masters are not noticed: %s", installers.error)
