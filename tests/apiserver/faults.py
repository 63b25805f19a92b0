"""A way to the API server that fails as load balancers, proxies and API servers in trouble do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from testbed.apiserver import ApiServer

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
"""What answers in the API server's place."""
_NOT_PASSED_ON = {"host", "content-length", "transfer-encoding", "connection", "authorization"}


class Way:
    """Passes requests on to an API server, but those that a test has answered otherwise.

    In a thread of its own: a test that waits for its operator must not be what the operator waits
    for.

    Attributes:
        kubeconfig: for an administrator who goes this way.
        asked: method and path with query of each request.
    """

    def __init__(self, server: ApiServer, folder: Path) -> None:
        self.kubeconfig = folder / "way"
        self.asked: list[str] = []
        self._server = server
        self._fault: Callable[[web.Request], Answer | None] = lambda _: None
        self._session: aiohttp.ClientSession

    @contextmanager
    def failing(self, fault: Callable[[web.Request], Answer | None]) -> Iterator[None]:
        """Answer the requests for which `fault` gives an answer; open watches end first."""
        self._fault = fault
        self.cut()
        try:
            yield
        finally:
            self._fault = lambda _: None

    def cut(self) -> None:
        """Cut all connections that are open."""
        self._loop.call_soon_threadsafe(self._cut)

    @contextmanager
    def open(self) -> Iterator[Way]:
        """Listen on loopback."""
        listening: Future[int] = Future()
        thread = threading.Thread(target=lambda: asyncio.run(self._run(listening)))
        thread.start()
        try:
            url = f"http://127.0.0.1:{listening.result(30)}"
            self.kubeconfig.write_text(json.dumps(_kubeconfig(url)))
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._ended.set)
            thread.join()

    async def _run(self, listening: Future[int]) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self._open: set[asyncio.Transport] = set()
        trust = ssl.create_default_context(cafile=str(self._server.authority))
        connector = aiohttp.TCPConnector(ssl=trust, limit=0)
        timeout = aiohttp.ClientTimeout(total=None)
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, auto_decompress=False
        ) as self._session:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            listening.set_result(runner.addresses[0][1])
            await self._ended.wait()
            self._cut()
            await runner.cleanup()

    def _cut(self) -> None:
        for transport in tuple(self._open):
            transport.abort()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path_qs}")
        transport: Any = request.transport
        self._open.add(transport)
        try:
            answer = self._fault(request) or self._pass_on
            return await answer(request)
        finally:
            self._open.discard(transport)

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _NOT_PASSED_ON}
        headers["Authorization"] = f"Bearer {self._server.token}"
        url, body = self._server.url + request.path_qs, await request.read()
        async with self._session.request(
            request.method, url, headers=headers, data=body or None
        ) as given:
            kept = {k: v for k, v in given.headers.items() if k.lower() not in _NOT_PASSED_ON}
            response = web.StreamResponse(status=given.status, headers=kept)
            await response.prepare(request)
            # Who asked may have gone.
            with contextlib.suppress(aiohttp.ClientConnectionError):
                async for chunk in given.content.iter_any():
                    await response.write(chunk)
                await response.write_eof()
            return response


def _kubeconfig(url: str) -> dict[str, Any]:
    return {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }


def says(*lines: str | dict[str, Any]) -> Answer:
    """A watch that gives these lines and ends."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for line in lines:
            await response.write((line if isinstance(line, str) else json.dumps(line)).encode())
            await response.write(b"\n")
        return response

    return answer


def error(code: int, message: str = "no") -> Answer:
    """A watch that gives an event of type ERROR."""
    status = {"kind": "Status", "code": code, "message": message}
    return says({"type": "ERROR", "object": status})


def refuses(status: int, headers: dict[str, str] | None = None, text: str = "") -> Answer:
    """An answer with this status."""

    async def answer(_: web.Request) -> web.StreamResponse:
        body = text or json.dumps({"kind": "Status", "message": "no", "code": status})
        return web.Response(text=body, status=status, headers=headers)

    return answer


def watches(plural: str) -> Callable[[web.Request], bool]:
    """Whether a request is a watch of a kind."""
    return lambda request: request.path.endswith(f"/{plural}") and "watch" in request.query


def lists(plural: str) -> Callable[[web.Request], bool]:
    """Whether a request is a list of a kind."""
    return lambda request: (
        request.path.endswith(f"/{plural}")
        and request.method == "GET"
        and "watch" not in request.query
    )
