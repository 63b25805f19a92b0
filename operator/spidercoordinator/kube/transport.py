"""HTTP requests by the session of the `kubernetes` package's client.

That package's own way from a request to its session, with Python's JSON writer, took 5 to 17 % of
the CPU of a whole request, on a busy machine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from kubernetes.aio.client.api_client import ApiClient

from spidercoordinator.api.objects import Object
from spidercoordinator.kube.failure import parsed
from spidercoordinator.kube.jsontext import Loads, loads


@asynccontextmanager
async def request(  # noqa: PLR0913 - a request has this many parts
    client: ApiClient,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    limits: aiohttp.ClientTimeout,
) -> AsyncIterator[aiohttp.ClientResponse]:
    """Send a request; gives the answer, which can be read inside.

    Args:
        client: whose session, trust and proxy.
        method: of HTTP.
        url: whole.
        headers: of the request; the login adds its own.
        body: of the request, None for none.
        limits: of the time for connecting, reading, and all of it.

    Raises:
        aiohttp.ClientError: the server was not reached.
        TimeoutError: there was no answer in time.
    """
    configuration, rest = client.configuration, client.rest_client
    async with _session(client).request(
        method,
        url,
        headers=headers,
        data=body,
        timeout=limits,
        # A change that is led elsewhere becomes a GET, whose answer would pass for the change's.
        allow_redirects=method == "GET",
        proxy=rest.proxy or None,
        proxy_headers=rest.proxy_headers or None,
        server_hostname=configuration.tls_server_name or None,
    ) as answer:
        yield answer


def _session(client: ApiClient) -> aiohttp.ClientSession:
    """The session that `client` closes; made with the first request, when the event loop runs."""
    rest = client.rest_client
    if rest.pool_manager is None:
        rest.pool_manager = rest._create_pool_manager()  # noqa: SLF001 - as its own requests do
    return rest.pool_manager


async def watch_events(
    content: aiohttp.StreamReader, action: str, parse: Loads = loads
) -> AsyncIterator[Object]:
    """The events of a watch as they come in.

    Args:
        content: of the answer.
        action: what was tried, for messages.
        parse: how to parse an event.

    Raises:
        ApiUnavailableError: something else came in.
    """
    # Objects may be longer than the reader's line limit, so lines are cut here.
    rest = b""
    async for chunk in content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line:
                yield parsed(line, action, parse)
