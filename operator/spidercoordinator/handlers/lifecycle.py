"""kopf's handlers of the operator itself: startup, cleanup, login and liveness probe."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import AsyncExitStack
from typing import Any, Final

import kopf

from spidercoordinator.errors import SpiderCoordinatorError
from spidercoordinator.handlers.admission import refusals_are_no_errors
from spidercoordinator.handlers.bookkeeping import NoDiffBase, NoProgress
from spidercoordinator.handlers.requests import Requests, leave_out_retries
from spidercoordinator.handlers.webhookserver import admission_server
from spidercoordinator.kube.backoff import Backoff
from spidercoordinator.reconcilers.manager import Manager
from spidercoordinator.runtime.garbagecollection import collect_hardly
from spidercoordinator.runtime.recursion import allow_deep_objects
from spidercoordinator.runtime.settings import Settings

WATCH: Final = 60
"""Seconds after which the API server ends a watch."""
GRACE: Final = 10.0
"""Seconds a client waits longer than the server should take."""
_WATCHERS: Final = "watcher for "
_PAUSE_WAITERS: Final = "pause-waiter for "
"""How names of tasks begin that kopf may leave behind."""
_CANCELLED_WITHIN: Final = 0.5
"""Seconds after which a task that was cancelled and goes on is cancelled again."""
_SCAN_COROUTINES: Final = ("_read_old_api", "_read_new_apis", "_read_version")


@kopf.on.startup(errors=kopf.ErrorsMode.PERMANENT)
async def start(memo: Any, settings: kopf.OperatorSettings, **_: Any) -> None:
    """Start the manager that all handlers share by `memo.manager`."""
    configure(settings)
    allow_deep_objects()
    collect_hardly()
    async with AsyncExitStack() as stack:
        try:
            # kopf's own command line gives none.
            options = memo.get("options")
            memo.manager = await Manager.create(Settings.read(os.environ, options))
            stack.push_async_callback(memo.manager.stop)
            settings.admission.server = admission_server(memo.manager)
            await memo.manager.start()
        except SpiderCoordinatorError as error:
            memo.failure = error
            raise kopf.PermanentError(str(error)) from error
        # kopf calls the cleanup handler only after a start that was neither refused nor cancelled.
        memo.stack = stack.pop_all()


@kopf.on.cleanup()
async def stop(memo: Any, **_: Any) -> None:
    """Stop the manager: nothing is written any more, and the Lease is released."""
    await _cancel_leftovers()
    await memo.stack.aclose()


@kopf.on.login(errors=kopf.ErrorsMode.TEMPORARY)
async def login(memo: Any, **_: Any) -> kopf.AiohttpSession:
    """Log kopf in as the operator's own client is, tokens that are rotated included."""
    manager: Manager = memo.manager
    session = manager.login.session(manager.client.client, Requests())
    # kopf loses it when it is ended before it has taken it.
    memo.stack.push_async_callback(session.close)
    return kopf.AiohttpSession(server=manager.login.server, aiohttp_session=session)


@kopf.on.probe()
async def reconciling(memo: Any, **_: Any) -> dict[str, float]:
    """Answer `kopf run --liveness` as /livez does: an error when the operator should be restarted.

    Raises:
        kopf.PermanentError: why it should.
    """
    health = memo.manager.context.services.health
    if failures := health.liveness_failures():
        raise kopf.PermanentError("; ".join(failures))
    return {"secondsSinceLastEvent": health.seconds_since_last_event()}


async def _cancel_leftovers() -> None:
    """Cancel what kopf leaves behind when it is ended while it scans, or takes in many events.

    It waits 5 s for such tasks (run_tasks in
    https://github.com/nolar/kopf/blob/1.45.2/kopf/_core/reactor/running.py). A scan leaves its
    requests, since asyncio.as_completed does not cancel them
    (https://github.com/nolar/kopf/blob/1.45.2/kopf/_cogs/clients/scanning.py). A watch that is
    cancelled between two events leaves its generator, with a task that waits for a pause, and
    asyncio cannot close nested generators in order
    (https://github.com/nolar/kopf/blob/1.45.2/kopf/_cogs/clients/watching.py, streaming_block).
    A watch that fails for good leaves the other one running (orchestrator in
    https://github.com/nolar/kopf/blob/1.45.2/kopf/_core/reactor/orchestration.py): its next request
    would find the session closed, and wait without end for somebody to log in. In the middle of a
    request it takes its cancellation for the begin of a pause, and goes on (stream in
    https://github.com/nolar/kopf/blob/1.45.2/kopf/_cogs/clients/api.py): it is cancelled until it
    ends.
    """
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_ignore_unclosed_generator)
    # A pause waiter goes last: while one ends, its watch takes the cancellation for a pause.
    for names in (_WATCHERS, _PAUSE_WAITERS):
        while leftovers := _leftovers(names):
            for task in leftovers:
                task.cancel()
            await asyncio.wait(leftovers, timeout=_CANCELLED_WITHIN)


def _leftovers(names: str) -> set[asyncio.Task[Any]]:
    """Tasks whose names begin so, and those of a scan."""
    return {
        task
        for task in asyncio.all_tasks()
        if getattr(task.get_coro(), "__qualname__", "") in _SCAN_COROUTINES
        or task.get_name().startswith(names)
    }


def _ignore_unclosed_generator(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if "asyncgen" not in context:
        loop.default_exception_handler(context)


def configure(settings: kopf.OperatorSettings) -> None:
    """Set what kopf needs to run in production."""
    settings.posting.enabled = False
    logging.getLogger("kopf.objects").addFilter(refusals_are_no_errors)
    leave_out_retries()
    settings.persistence.diffbase_storage = NoDiffBase()
    settings.persistence.progress_storage = NoProgress()
    # Our kinds are served when kopf starts (`Manager.start`), and when their CRDs go, the operator
    # ends: there is no kind that kopf would have to look for later.
    settings.scanning.disabled = True
    settings.watching.server_timeout = WATCH
    settings.watching.client_timeout = WATCH + GRACE
    settings.watching.inactivity_timeout = WATCH + GRACE
    settings.watching.connect_timeout = GRACE
    # Thousands of networks in one answer are tens of megabytes at a time.
    settings.watching.chunk_size = 500
    settings.networking.request_timeout = 30.0
    settings.networking.connect_timeout = GRACE
    # Endless and with jitter: an API server that is away for an hour must not end the operator.
    settings.networking.error_backoffs = Backoff(first=0.5, cap=15.0)
    # A worker holds its place, and the last event, until it has idled this long: in a list of
    # thousands of networks only those of one page should. The handlers only add keys to our own
    # queue, which is bounded, so no limit is needed here.
    settings.queueing.idle_timeout = 0.1
    settings.queueing.exit_timeout = 0.5
    settings.queueing.worker_limit = None
