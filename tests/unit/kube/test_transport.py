"""Requests go the way that the kubeconfig says: by its proxy, and to the name it expects."""

from __future__ import annotations

import json
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientConnectorCertificateError, web
from aiohttp.test_utils import TestServer

from spidercoordinator.errors import ApiError, ApiUnavailableError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.login import Login
from spidercoordinator.kube.resource import CONFIG_MAPS
from spidercoordinator.runtime.certificates import self_signed

NAME = "api.example.org"


def kubeconfig(folder: Path, **cluster: str) -> dict[str, str]:
    """The environment with a kubeconfig for a cluster with these fields."""
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    return {"KUBECONFIG": str(path)}


class Answers:
    """A server that takes every request, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        application = web.Application()
        application.router.add_route("*", "/{rest:.*}", self._answer)
        self.server = TestServer(application)

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.raw_path, await request.text()))
        return web.json_response({"metadata": {"name": "x"}})


async def test_the_proxy_is_asked(tmp_path: Path) -> None:
    answers = Answers()
    async with answers.server as proxy:
        address = str(proxy.make_url("")).rstrip("/")
        environ = kubeconfig(
            tmp_path, **{"server": "http://api.example.org:8080", "proxy-url": address}
        )
        async with Client(await Login.find(environ)) as client:
            await client.patch(CONFIG_MAPS, "x", "ns", patch={"data": {"a": "ä"}})
    ((method, path, body),) = answers.asked
    assert method == "PATCH"
    assert path.startswith("http://api.example.org:8080/api/v1/namespaces/ns/configmaps/x?")
    assert json.loads(body) == {"data": {"a": "ä"}}


@pytest.mark.parametrize("name", [NAME, ""])
async def test_the_certificate_may_be_of_another_name(tmp_path: Path, name: str) -> None:
    pair = self_signed([NAME], datetime.now(UTC))
    files = {"ca": pair.certificate, "key": pair.private_key}
    for file, text in files.items():
        (tmp_path / file).write_text(text)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "ca", tmp_path / "key")
    answers = Answers()
    await answers.server.start_server(ssl=context)
    cluster = {
        "server": f"https://127.0.0.1:{answers.server.port}",
        "certificate-authority": str(tmp_path / "ca"),
    }
    environ = kubeconfig(tmp_path, **cluster, **({"tls-server-name": name} if name else {}))
    login = await Login.find(environ)
    async with answers.server, Client(login) as client, login.session(client.client) as session:
        if name:
            assert await client.get(CONFIG_MAPS, "x", "ns") == {"metadata": {"name": "x"}}
            assert (await session.get(login.server)).status == 200
        else:
            with pytest.raises(ApiUnavailableError, match=r"127\.0\.0\.1"):
                await client.get(CONFIG_MAPS, "x", "ns")
            with pytest.raises(ClientConnectorCertificateError, match=r"127\.0\.0\.1"):
                await session.get(login.server)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_change_that_is_led_elsewhere_was_not_made(tmp_path: Path, status: int) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/login":
            return web.json_response({"metadata": {"name": "x"}})
        return web.Response(status=status, headers={"Location": "/login"})

    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", answer)
    async with TestServer(application) as server:
        environ = kubeconfig(tmp_path, server=str(server.make_url("")).rstrip("/"))
        async with Client(await Login.find(environ)) as client:
            assert await client.get(CONFIG_MAPS, "x", "ns") == {"metadata": {"name": "x"}}
            with pytest.raises(ApiError, match=f"answered {status}"):
                await client.patch(CONFIG_MAPS, "x", "ns", patch={"data": {}})
