"""Events as they are sent."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from spidercoordinator.api.names import is_subdomain
from spidercoordinator.core.status.transitions import Transition
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.events import Recorder, event_of
from spidercoordinator.kube.login import Login
from spidercoordinator.kube.resource import SPIDERMULTUSCONFIGS
from tests.unit.kube.kubeconfig import write_kubeconfig


@pytest.mark.parametrize("name", ["a", "a" * 253, f"{'a' * 235}.{'b' * 17}", f"{'a' * 235}-b-c-d"])
def test_an_event_about_an_object_of_any_name_has_a_name_itself(name: str) -> None:
    about = {"metadata": {"name": name, "namespace": "ns", "uid": "u"}}
    told = Transition("Normal", "Synced", "it is")
    event = event_of(SPIDERMULTUSCONFIGS, about, told, now="2026-01-01T00:00:00Z")
    assert is_subdomain(event["metadata"]["name"])
    assert event["metadata"]["name"].startswith(name[:200])
    assert event["involvedObject"]["name"] == name


ENDING = {
    "message": "unable to create new content in namespace bad because it is being terminated",
    "details": {"causes": [{"reason": "NamespaceTerminating"}]},
}
QUOTA = {"message": "exceeded quota: q"}
CALLING = {"message": 'failed calling webhook "w": context deadline exceeded'}


@pytest.mark.parametrize(
    ("status", "answer", "logged"),
    [
        (403, ENDING, []),
        (404, {"message": 'namespaces "bad" not found'}, []),
        (403, QUOTA, ["WARNING"]),
        (500, CALLING, ["WARNING"]),
    ],
)
async def test_a_namespace_that_takes_no_events_hinders_no_other_one_and_is_told_of_once(
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    status: int,
    answer: dict[str, Any],
    logged: list[str],
) -> None:
    asked: list[str] = []
    all_asked = asyncio.Event()

    async def create(request: web.Request) -> web.Response:
        namespace = request.match_info["namespace"]
        asked.append(namespace)
        if len(asked) == 6:
            all_asked.set()
        if namespace == "bad":
            return web.Response(text=json.dumps(answer), status=status)
        return web.json_response(await request.json())

    app = web.Application()
    app.router.add_post("/api/v1/namespaces/{namespace}/events", create)
    server = TestServer(app)
    await server.start_server()
    path = write_kubeconfig(server, tmp_path)
    async with Client(await Login.find({"KUBECONFIG": str(path)})) as client:
        recorder = Recorder(client)
        for namespace in ("bad", "good") * 3:
            about = {"metadata": {"name": "a", "namespace": namespace}}
            recorder.record(SPIDERMULTUSCONFIGS, about, Transition("Normal", "Told", "it is"))
        caplog.set_level(logging.INFO, "spidercoordinator.kube.events")
        caplog.clear()
        running = asyncio.create_task(recorder.run())
        async with asyncio.timeout(10):
            await all_asked.wait()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    await server.close()
    assert asked == ["bad", "good"] * 3
    assert [each.levelname for each in caplog.records] == logged
