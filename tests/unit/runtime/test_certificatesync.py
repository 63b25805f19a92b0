"""The certificate where the API server refuses: said once, tried again, and mended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from spidercoordinator.kube.backoff import Backoff
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.crash import CrashHandler
from spidercoordinator.kube.login import Login
from spidercoordinator.kube.resource import SECRETS, VALIDATING_WEBHOOK_CONFIGURATIONS, Object
from spidercoordinator.runtime import certificatesync
from spidercoordinator.runtime.certificaterotator import CertificateRotator
from spidercoordinator.runtime.certificatesync import CertificateSync
from tests.apiserver.harness import eventually
from tests.unit.kube.kubeconfig import write_kubeconfig

SECRET = SECRETS.path("net", "webhook")
CONFIGURATION = VALIDATING_WEBHOOK_CONFIGURATIONS.path("", "webhook")


class Server:
    """Lets nobody watch, and nobody write while it refuses."""

    def __init__(self) -> None:
        service = {"service": {"name": "webhook", "namespace": "net"}}
        webhooks = [{"name": "one", "clientConfig": service}]
        meta = {"resourceVersion": "1"}
        self.objects: dict[str, Object] = {
            CONFIGURATION: {"metadata": meta, "webhooks": webhooks},
        }
        self.refuses, self.attempts, self.tried_often = True, 0, asyncio.Event()
        app = web.Application()
        app.router.add_get("/{path:.*}", self._get)
        app.router.add_patch("/{path:.*}", self._patch)
        self.http = TestServer(app)

    async def _get(self, request: web.Request) -> web.Response:
        if request.path in self.objects:
            return web.json_response(self.objects[request.path])
        raise web.HTTPNotFound

    async def _patch(self, request: web.Request) -> web.Response:
        self.attempts += 1
        if self.attempts > 5:
            self.tried_often.set()
        if self.refuses:
            return web.json_response({"message": "no role"}, status=403)
        self.objects[request.path] = {**await request.json(), "metadata": {"resourceVersion": "2"}}
        return web.json_response(self.objects[request.path])


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    await made.http.start_server()
    yield made
    await made.http.close()


@pytest.fixture
async def sync(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[CertificateSync, list[str]]]:
    monkeypatch.setattr(certificatesync, "_BACKOFF", Backoff(first=0.001, cap=0.01))
    path = write_kubeconfig(server.http, tmp_path)
    reports: list[str] = []
    async with Client(await Login.find({"KUBECONFIG": str(path)})) as api:
        rotator = CertificateRotator(api, "net", "webhook", tmp_path / "files")
        made = CertificateSync(rotator, CrashHandler(), reports.append)
        running = asyncio.create_task(made.run())
        yield made, reports
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_what_may_not_be_written_is_said_once_and_when_it_is_over(
    server: Server, sync: tuple[CertificateSync, list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    made, reports = sync
    async with asyncio.timeout(30):
        await server.tried_often.wait()
        server.refuses = False
        await made.served.wait()
    text = "the webhook's certificate cannot be kept in sync"
    shown = [each for each in caplog.records if text in each.getMessage()]
    assert len(shown) == 1
    assert "no role" in shown[0].getMessage()
    assert vars(shown[0])["object"] == "Secret net/webhook"
    assert [each.getMessage() for each in caplog.records].count(
        "the webhook's certificate is in sync"
    ) == 1
    assert reports[0].startswith(text)
    assert reports[-1] == ""


async def test_a_configuration_that_is_nowhere_hinders_nobody(
    server: Server, sync: tuple[CertificateSync, list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    del server.objects[CONFIGURATION]
    made, reports = sync
    made.look()

    async def said() -> bool:
        return "the webhook is not asked" in caplog.text

    await eventually("it says so", said)
    assert reports[-1] == ""
