"""kopf's own requests: what hinders them is logged once, and a scan of kinds is checked."""

from __future__ import annotations

import logging
from typing import Final

import aiohttp

from spidercoordinator.kube.crash import brief
from spidercoordinator.reconcilers.manager import KINDS
from spidercoordinator.runtime.logging import StateLogger

_KOPF_LOGS: Final = ("kopf._cogs.clients.watching", "kopf._core.reactor.observation")
_RETRY: Final = "failed; will retry"
_OK: Final = 400
_GONE: Final = 410
"""No failure: the watch begins anew with a list."""


class Requests:
    """A middleware of kopf's session: each request of kopf passes it.

    kopf logs each failed attempt of each request, for as long as an outage lasts; that is left out
    (`leave_out_retries`), and said here once, and once more when it is over.
    """

    def __init__(self) -> None:
        self._states: dict[str, StateLogger] = {}
        self._failures: dict[str, int] = {}

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send a request, and note how it went."""
        what = _named(request.url.path)
        try:
            response = await _require_our_kinds(request, handler)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._failed(what, brief(error))
            raise
        if response.status >= _OK and response.status != _GONE:
            self._failed(what, f"the API server answered {response.status}")
        else:
            self._failures.pop(what, None)
            if state := self._states.pop(what, None):
                state.over(f"{what} can be read again", watched=what)
        return response

    def _failed(self, what: str, why: str) -> None:
        """One connection that is lost is no news: every load balancer does that to watches."""
        self._failures[what] = self._failures.get(what, 0) + 1
        if self._failures[what] > 1 and what not in self._states:
            state = self._states[what] = StateLogger(logging.getLogger(__name__))
            text = f"{what} cannot be read, what is known stays in use: {why}"
            state.log(logging.WARNING, text, watched=what)


def leave_out_retries() -> None:
    """Have kopf's log leave out attempts that it repeats; `Requests` logs what there is to say."""
    for name in _KOPF_LOGS:
        logging.getLogger(name).addFilter(is_no_retry)


def is_no_retry(record: logging.LogRecord) -> bool:
    """Filter of kopf's log: whether the record is no attempt that is repeated."""
    return _RETRY not in str(record.msg)


def _named(path: str) -> str:
    """What a URL leads to, as the log of other watches names it."""
    kinds = {kind.path(): kind.full_name for kind in KINDS}
    return kinds.get(path, path)


async def _require_our_kinds(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Have kopf repeat a scan of kinds that lacks ours.

    kopf scans once, and an API server that was just started lists the groups of CRDs a moment after
    it answers; kopf would then watch nothing, for good.
    """
    response = await handler(request)
    path = request.url.path
    if response.ok and path == "/apis":
        listed = {each["name"] for each in (await response.json())["groups"]}
        required = {kind.group for kind in KINDS}
    elif response.ok and path in {f"/apis/{kind.api_version}" for kind in KINDS}:
        listed = {each["name"] for each in (await response.json())["resources"]}
        required = {kind.plural for kind in KINDS if path == f"/apis/{kind.api_version}"}
    else:
        return response
    if lacking := required - listed:
        names = ", ".join(sorted(lacking))
        raise aiohttp.ClientConnectionError(f"the API server does not list {names} yet")
    return response
