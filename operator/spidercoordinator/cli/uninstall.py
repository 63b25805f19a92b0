"""`spidercoordinator uninstall`: leave no object that cannot be deleted.

The chart runs it before its objects are removed, with the operator alive or dead: the finalizer is
taken off here, so nobody has to be waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final

from spidercoordinator.api.coordinator import FINALIZER
from spidercoordinator.api.objects import Object
from spidercoordinator.cli.installers import Installers
from spidercoordinator.errors import (
    ApiConflictError,
    ApiNotFoundError,
    ApiUnavailableError,
    SpiderCoordinatorError,
)
from spidercoordinator.kube.backoff import Backoff
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.login import Login
from spidercoordinator.kube.resource import SPIDERCOORDINATORS
from spidercoordinator.runtime.settings import Settings

logger = logging.getLogger(__name__)

_BY_HAND: Final = (
    "helm uninstall RELEASE --no-hooks, then for each SpiderCoordinator: kubectl patch"
    ' spidercoordinators NAME --type=merge -p \'{"metadata":{"finalizers":null}}\''
)


_RESTORE_SHARE: Final = 0.6
"""The share of the time that installers get; the rest is for what cannot be left out."""


async def uninstall(
    settings: Settings,
    *,
    timeout: float,  # noqa: ASYNC109 - the user's
    installers: Installers | None = None,
) -> int:
    """Delete the effective SpiderCoordinator and take our finalizer off all others.

    Before, the installers, if there are any, restore another product's plugin on their nodes.

    Returns the exit status: 0 when nothing of ours keeps an object from being deleted. Otherwise
    the last line of the log says what failed and how to go on; helm shows it.
    """
    try:
        async with Client(await Login.find()) as api, asyncio.timeout(timeout):
            if installers is not None:
                await _restored(api, installers, timeout * _RESTORE_SHARE)
            await _let_all_go(api, settings.name)
    except TimeoutError:
        return _failed(
            f"SpiderCoordinators still bear the finalizer {FINALIZER} after {timeout:g} s"
        )
    except SpiderCoordinatorError as error:
        return _failed(str(error))
    return 0


async def _restored(api: Client, installers: Installers, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await installers.restore(api)


def _failed(why: str) -> int:
    logger.error("%s; go on by hand: %s", why, _BY_HAND)
    return 1


async def _let_all_go(api: Client, effective: str) -> None:
    failures = 0
    while True:
        try:
            await _one_round(api, effective)
        except (ApiConflictError, ApiUnavailableError) as error:
            failures += 1
            logger.warning("trying again: %s", error)
            await asyncio.sleep(Backoff(cap=5.0).delay(failures))
        except ApiNotFoundError:
            logger.info("the kind SpiderCoordinator does not exist, nothing to do")
            return
        else:
            return


async def _one_round(api: Client, effective: str) -> None:
    await api.delete(SPIDERCOORDINATORS, effective)
    while True:
        objects, _ = await api.list(SPIDERCOORDINATORS)
        bound = [obj for obj in objects if FINALIZER in _finalizers(obj)]
        if not bound:
            return
        for obj in bound:
            await _strip(api, obj)


async def _strip(api: Client, obj: Object) -> None:
    meta = obj["metadata"]
    rest = [each for each in _finalizers(obj) if each != FINALIZER]
    patch = {"metadata": {"finalizers": rest, "resourceVersion": meta["resourceVersion"]}}
    try:
        await api.patch(SPIDERCOORDINATORS, meta["name"], patch=patch)
    except ApiNotFoundError:
        return
    logger.info("finalizer removed", extra={"name_of_object": meta["name"]})


def _finalizers(obj: Object) -> list[str]:
    return obj["metadata"].get("finalizers") or []
