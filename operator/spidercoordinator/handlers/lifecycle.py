"""kopf's handlers of the operator itself: startup, cleanup, login and liveness probe."""

from __future__ import annotations

import os
from typing import Any, Final

import kopf

from spidercoordinator.errors import SpiderCoordinatorError
from spidercoordinator.handlers.admission import admission_server
from spidercoordinator.kube.backoff import Backoff
from spidercoordinator.reconcilers.manager import Manager
from spidercoordinator.runtime.settings import Settings

_WATCH: Final = 60
"""Seconds after which the API server ends a watch."""
_GRACE: Final = 10.0
"""Seconds a client waits longer than the server should take."""


@kopf.on.startup(errors=kopf.ErrorsMode.PERMANENT)
async def start(memo: Any, settings: kopf.OperatorSettings, **_: Any) -> None:
    """Start the manager that all handlers share by `memo.manager`."""
    configure(settings)
    try:
        memo.manager = await Manager.create(Settings.read(os.environ))
        settings.admission.server = admission_server(memo.manager)
        await memo.manager.start()
    except SpiderCoordinatorError as error:
        memo.failure = error
        raise kopf.PermanentError(str(error)) from error


@kopf.on.cleanup()
async def stop(memo: Any, **_: Any) -> None:
    """Stop the manager: nothing is written any more, and the Lease is released."""
    await memo.manager.stop()


@kopf.on.login(errors=kopf.ErrorsMode.TEMPORARY)
async def login(memo: Any, **_: Any) -> kopf.AiohttpSession:
    """Log kopf in as the operator's own client is, tokens that are rotated included."""
    manager: Manager = memo.manager
    session = manager.login.session(manager.client.client)
    return kopf.AiohttpSession(server=manager.login.server, aiohttp_session=session)


@kopf.on.probe()
async def reconciling(memo: Any, **_: Any) -> dict[str, float]:
    """Answer `kopf run --liveness` as /livez does: an error when the operator should be restarted.

    Raises:
        kopf.PermanentError: why it should.
    """
    health = memo.manager.context.services.health
    if complaints := health.complaints():
        raise kopf.PermanentError("; ".join(complaints))
    return {"secondsSinceLastEvent": health.age()}


def configure(settings: kopf.OperatorSettings) -> None:
    """Set what kopf needs to be told to run in production."""
    settings.posting.enabled = False
    # Our kinds are served when kopf starts (`Manager.start`), and when their CRDs go, the operator
    # ends: there is no kind that kopf would have to look for later.
    settings.scanning.disabled = True
    settings.watching.server_timeout = _WATCH
    settings.watching.client_timeout = _WATCH + _GRACE
    settings.watching.inactivity_timeout = _WATCH + _GRACE
    settings.watching.connect_timeout = _GRACE
    settings.networking.request_timeout = 30.0
    settings.networking.connect_timeout = _GRACE
    # Endless and with jitter: an API server that is away for an hour must not end the operator.
    settings.networking.error_backoffs = Backoff(first=0.5, cap=15.0)
    # A worker keeps its place until it has idled this long; the handlers only add keys to our own
    # queue, which is bounded, so no limit is needed here.
    settings.queueing.idle_timeout = 0.1
    settings.queueing.exit_timeout = 0.5
    settings.queueing.worker_limit = None
