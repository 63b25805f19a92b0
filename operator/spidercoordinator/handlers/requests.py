"""kopf's own requests: what hinders them is logged once, and a scan of kinds is checked."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import aiohttp
from aiohttp import hdrs

from spidercoordinator.handlers.watchstream import Gone, WatchStream
from spidercoordinator.kube.backoff import Backoff
from spidercoordinator.kube.crash import brief
from spidercoordinator.kube.jsontext import loads
from spidercoordinator.reconcilers.manager import KINDS
from spidercoordinator.reconcilers.trimming import trim

logger = logging.getLogger(__name__)

_KOPF_LOGS: Final = ("kopf._cogs.clients.watching", "kopf._core.reactor.observation")
_RETRY: Final = "failed; will retry"
_GOOD: Final = range(200, 300)
"""An API server leads nowhere else: what does is a proxy's page for people."""
_OURS: Final = frozenset(kind.full_name for kind in KINDS)
_REPEATED: Final = frozenset({HTTPStatus.FORBIDDEN, *range(500, 600)})
"""What kopf repeats by itself."""
_SCANNED: Final = frozenset({HTTPStatus.NOT_FOUND})
"""What says something in a scan of kinds."""
_BACKOFF: Final = Backoff(first=0.5, cap=15.0)
_LONGEST_WAIT: Final = 20.0
"""Seconds; the request's own time goes on meanwhile."""


class Requests:
    """A middleware of kopf's session: each request of kopf passes it.

    kopf logs each failed attempt of each request, for as long as an outage lasts; that is left out
    (`leave_out_retries`), and said here once, and once more when it is over.

    An answer that kopf does not repeat its request for would end the operator
    (https://github.com/nolar/kopf/blob/1.45.2/kopf/_cogs/clients/api.py, request): a proxy's 400,
    an API server's 404 while it starts, a login that is refused for a moment. Each is made what
    kopf repeats, and what has to begin anew with a list is made what it lists again for.
    """

    def __init__(self, backoff: Backoff = _BACKOFF) -> None:
        self._backoff = backoff
        self._hindered: dict[tuple[str, bool], _Hindered] = {}

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send a request, and note how it went."""
        what = _named(request.url.path)
        key = (what, "watch" in request.url.query)
        try:
            response = await handler(request)
            if response.status in _GOOD:
                return await self._passed(key, request, response)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            self._failed(key, brief(error))
            if isinstance(error, aiohttp.ClientConnectionError | TimeoutError):
                raise
            raise aiohttp.ClientConnectionError(brief(error)) from error
        if response.status == HTTPStatus.GONE:
            return await self._gone(key, response)
        self._failed(key, f"the API server answered {response.status}")
        if response.status in _REPEATED or (what not in _OURS and response.status in _SCANNED):
            return response
        response.release()
        await asyncio.sleep(_retry_after(response))
        raise aiohttp.ClientConnectionError(f"the API server answered {response.status}")

    async def _passed(
        self,
        key: tuple[str, bool],
        request: aiohttp.ClientRequest,
        response: aiohttp.ClientResponse,
    ) -> aiohttp.ClientResponse:
        state = self._hindered.get(key)
        if key[1]:
            guarded = WatchStream(
                response.content, partial(self._broke, key), partial(self._over, key)
            )
            response.content = guarded  # type: ignore[assignment]
            if state and state.inside:
                return response  # that it was opened again tells nothing
        elif request.method == hdrs.METH_GET:
            await _read(request, response)
        self._over(key)
        return response

    async def _gone(
        self, key: tuple[str, bool], response: aiohttp.ClientResponse
    ) -> aiohttp.ClientResponse:
        """No failure, unless it is said again and again: kopf begins anew with a list."""
        await self._broke(key, "")
        if key[1]:
            response.content = Gone(response.content)  # type: ignore[assignment]
            response.status = HTTPStatus.OK
            return response
        response.release()
        # Of what may come of a list, kopf repeats all of it after this only.
        raise aiohttp.ClientPayloadError("the further pages of the list are gone")

    async def _broke(self, key: tuple[str, bool], why: str) -> None:
        """A watch that was opened fails, or a version is gone; wait before the next try."""
        state = self._hindered.setdefault(key, _Hindered())
        if why or state.gone:
            self._failed(key, why or "the API server answers again and again that its list is old")
        state.inside = True
        state.gone = not why
        if state.failures:
            await asyncio.sleep(self._backoff.delay(state.failures))

    def _failed(self, key: tuple[str, bool], why: str) -> None:
        """One connection that is lost is no news: every load balancer does that to watches."""
        state = self._hindered.setdefault(key, _Hindered())
        state.inside = state.gone = False
        state.failures += 1
        if state.failures > 1 and not state.told:
            state.told = True
            text = "%s cannot be read, what is known stays in use: %s"
            logger.warning(text, key[0], why, extra={"watched": key[0]})

    def _over(self, key: tuple[str, bool]) -> None:
        state = self._hindered.pop(key, None)
        if state and state.told:
            logger.info("%s can be read again", key[0], extra={"watched": key[0]})


@dataclass(slots=True)
class _Hindered:
    """What hinders the requests of one kind, its lists or its watches.

    Attributes:
        failures: in a row.
        told: whether the log tells of it.
        inside: whether the last one was in the middle of a watch, which could be opened.
        gone: whether the last one was a version that is gone.
    """

    failures: int = 0
    told: bool = False
    inside: bool = False
    gone: bool = False


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


async def _read(request: aiohttp.ClientRequest, response: aiohttp.ClientResponse) -> None:
    """Read what is to be an object, and have kopf get it without reading it a second time.

    Raises:
        aiohttp.ClientConnectionError: it is none, or a scan of kinds that lacks ours: kopf scans
            once, and an API server that was just started lists the groups of CRDs a moment after
            it answers; kopf would then watch nothing, for good.
    """
    try:
        answer = loads(await response.read())
    except RecursionError as error:
        raise ValueError(brief(error)) from error
    if not isinstance(answer, dict):
        raise aiohttp.ClientConnectionError("the answer is no object")
    path = request.url.path
    if path == "/apis":
        _require({kind.group for kind in KINDS}, answer, "groups")
    for kind in KINDS:
        if path == f"/apis/{kind.api_version}":
            _require({kind.plural}, answer, "resources")
        elif path == kind.path():
            answer["items"] = _items(answer)

    async def parsed() -> Any:
        return answer

    response.json = parsed  # type: ignore[method-assign,assignment]


def _items(answer: dict[str, Any]) -> list[Any]:
    """The objects of a list, as stores keep them.

    Raises:
        aiohttp.ClientConnectionError: it is no list of objects.
    """
    items = answer.get("items")
    if not isinstance(items, list):
        raise aiohttp.ClientConnectionError("the answer is no list")
    # What kopf makes of an object is a cycle that holds it until the garbage collector runs: with
    # the same object in the store that costs nothing.
    return [trim(each) if _is_object(each) else each for each in items]


def _is_object(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("metadata"), dict)


def _require(required: set[str], answer: dict[str, Any], field: str) -> None:
    entries = answer.get(field)
    listed = {each.get("name") for each in entries if isinstance(each, dict)} if entries else set()
    if lacking := required - listed:
        names = ", ".join(sorted(lacking))
        raise aiohttp.ClientConnectionError(f"the API server does not list {names} yet")


def _retry_after(response: aiohttp.ClientResponse) -> float:
    """Seconds that the API server asks to wait; not until a date, which proxies may give."""
    given = response.headers.get(hdrs.RETRY_AFTER, "")
    return min(float(given), _LONGEST_WAIT) if given.isascii() and given.isdecimal() else 0.0
