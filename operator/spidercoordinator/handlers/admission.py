"""The admission webhook: kopf serves it, `core.checks.admission` answers.

It is on when the chart names a ValidatingWebhookConfiguration. Nothing depends on it: its
failurePolicy is Ignore.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import kopf

from spidercoordinator.api.nesting import cut
from spidercoordinator.api.objects import name_of
from spidercoordinator.core.checks.admission import Review, review_coordinator, review_network
from spidercoordinator.core.network.desired import nad_name
from spidercoordinator.errors import SpiderCoordinatorError
from spidercoordinator.kube.resource import SPIDERCOORDINATORS, SPIDERMULTUSCONFIGS, Object
from spidercoordinator.reconcilers.manager import Manager
from spidercoordinator.runtime.certificaterotator import CertificateRotator

logger = logging.getLogger(__name__)

_NETWORK: Final = SPIDERMULTUSCONFIGS
_COORDINATOR: Final = SPIDERCOORDINATORS
_LOOK_EVERY: Final = 60.0
"""Seconds between two looks at Secret and configuration; another replica may have renewed."""
_FILES_EVERY: Final = 5.0
_INVALID: Final = 422


@kopf.on.validate(_NETWORK.group, _NETWORK.version, _NETWORK.plural, id="validate-network")
async def validate_network(
    body: Any,
    memo: Any,
    warnings: list[str],
    old: Any = None,
    operation: str = "",
    **_: Any,
) -> None:
    """Refuse or warn of a SpiderMultusConfig that is created or changed.

    In the event loop, where nothing changes the stores meanwhile: kopf runs others in threads.
    """
    if operation != "DELETE":
        before = plain(old) if old is not None else None
        _give(_review_network(memo.manager, plain(body), before), warnings)


@kopf.on.validate(
    _COORDINATOR.group, _COORDINATOR.version, _COORDINATOR.plural, id="validate-coordinator"
)
async def validate_coordinator(
    body: Any, warnings: list[str], operation: str = "", **_: Any
) -> None:
    """Refuse or warn of a SpiderCoordinator that is created or changed."""
    if operation != "DELETE":
        _give(review_coordinator(plain(body)), warnings)


def plain(body: Any) -> Object:
    """An object as kopf shows it, as JSON data, and no deeper than anybody may make it."""
    return {key: cut(body[key]) for key in ("metadata", "spec") if key in body}


def _review_network(manager: Manager, network: Object, before: Object | None) -> Review:
    stores = manager.context.stores
    namespace, name = name_of(network)
    nad = (namespace, nad_name(network))
    others = stores.index.claimants(nad) - {(namespace, name)}
    return review_network(
        network,
        before,
        rivals=[stores.networks[each] for each in others if each in stores.networks],
        nad=stores.nads.get(nad),
        nodes=manager.installers.entries.values(),
    )


def _give(answer: Review, warnings: list[str]) -> None:
    warnings.extend(answer.warnings)
    if answer.refusals:
        text = "; ".join(map(str, answer.refusals))
        raise kopf.AdmissionError(text, code=_INVALID)


def admission_server(manager: Manager) -> Any:
    """What serves the webhook, for kopf's `settings.admission.server`; without one, nothing."""
    settings = manager.context.services.settings
    return partial(_serve, manager) if settings.webhook_configuration else _serve_nothing


async def _serve_nothing(_: Any) -> AsyncIterator[Any]:
    await asyncio.Event().wait()
    yield


async def _serve(manager: Manager, answer: Any) -> AsyncIterator[Any]:
    settings = manager.context.services.settings
    with tempfile.TemporaryDirectory(prefix="webhook-") as folder:
        rotator = CertificateRotator(
            manager.client,  # every replica serves it, also one that does not lead
            settings.namespace,
            settings.webhook_configuration,
            Path(folder),
        )
        while not await _synced(rotator):  # noqa: ASYNC110 - the API server is asked, nobody tells
            await asyncio.sleep(_FILES_EVERY)
        server = kopf.WebhookServer(
            port=settings.webhook_port,
            certfile=str(rotator.certificate_file),
            pkeyfile=str(rotator.key_file),
            file_check_interval=_FILES_EVERY,
        )
        renewal = asyncio.create_task(_renew(rotator), name="webhook's certificate")
        try:
            async for config in server(answer):
                yield config
        finally:
            renewal.cancel()


async def _renew(rotator: CertificateRotator) -> None:
    while True:
        await asyncio.sleep(_LOOK_EVERY)
        await _synced(rotator)


async def _synced(rotator: CertificateRotator) -> bool:
    try:
        await rotator.sync()
    except SpiderCoordinatorError as error:
        logger.warning("the webhook's certificate cannot be renewed: %s", error)
        return False
    return True
