"""kopf's requests: an outage is logged once, and once more when it is over."""

from __future__ import annotations

import logging

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from spidercoordinator.handlers.requests import Requests, is_no_retry
from spidercoordinator.kube.resource import SPIDERMULTUSCONFIGS
from spidercoordinator.reconcilers.trimming import trim

PATH = SPIDERMULTUSCONFIGS.path()
NAME = "spidermultusconfigs.spiderpool.spidernet.io"


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [f"{each.levelname} {each.getMessage()}" for each in caplog.records]


async def test_what_fails_again_and_again_is_said_once_and_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "spidercoordinator")
    statuses = [200, 503, 200, 403, 403, 403, 200]

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"items": []}, status=statuses.pop(0))

    app = web.Application()
    app.router.add_get(PATH, answer)
    server = TestServer(app)
    await server.start_server()
    async with aiohttp.ClientSession(middlewares=(Requests(),)) as session:
        while statuses:
            await session.get(server.make_url(PATH))
        refused, over = messages(caplog)
        assert refused.startswith(f"WARNING {NAME} cannot be read")
        assert refused.endswith("the API server answered 403")
        assert over == f"INFO {NAME} can be read again"
        assert vars(caplog.records[0])["watched"] == NAME
        caplog.clear()
        url = server.make_url(PATH)
        await server.close()
        for _ in range(4):
            with pytest.raises(aiohttp.ClientConnectionError):
                await session.get(url)
        [line] = messages(caplog)
        assert "cannot be read" in line
        assert "ClientConnectorError" in line


async def test_a_scan_that_lacks_our_kinds_is_no_answer() -> None:
    listed: list[dict[str, str]] = []

    async def groups(_: web.Request) -> web.Response:
        return web.json_response({"groups": listed})

    app = web.Application()
    app.router.add_get("/apis", groups)
    server = TestServer(app)
    await server.start_server()
    async with aiohttp.ClientSession(middlewares=(Requests(),)) as session:
        with pytest.raises(aiohttp.ClientConnectionError, match="does not list spiderpool"):
            await session.get(server.make_url("/apis"))
        listed.append({"name": SPIDERMULTUSCONFIGS.group})
        assert (await session.get(server.make_url("/apis"))).ok
    await server.close()


async def test_objects_of_a_list_come_as_stores_keep_them() -> None:
    meta = {"name": "net", "managedFields": [{"manager": "kubectl"}]}
    whole = {"metadata": meta, "spec": {"cniType": "macvlan"}}

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"items": [whole, None, {"metadata": None}]})

    app = web.Application()
    app.router.add_get(PATH, answer)
    server = TestServer(app)
    await server.start_server()
    async with aiohttp.ClientSession(middlewares=(Requests(),)) as session:
        items = (await (await session.get(server.make_url(PATH))).json())["items"]
    await server.close()
    assert items == [trim(whole), None, {"metadata": None}]
    assert "managedFields" not in items[0]["metadata"]


def test_kopf_s_retries_are_left_out_of_the_log() -> None:
    for text, shown in (
        ("Request attempt #3 failed; will retry: GET https://server/apis -> error", False),
        ("Request attempt #3 failed; SSL closed; will re-authenticate: GET x", True),
        ("Watcher has failed", True),
    ):
        assert is_no_retry(logging.makeLogRecord({"msg": text})) == shown
