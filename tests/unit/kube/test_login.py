from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from spidercoordinator.errors import ApiUnauthorizedError, LoginError
from spidercoordinator.kube import login as login_module
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.login import Login, environment_proxy
from spidercoordinator.kube.resource import NODES


@pytest.mark.parametrize(
    ("server", "proxy"),
    [
        ("https://k8s.example:6443", "http://proxy:1"),
        ("https://127.0.0.1:6443", None),
        ("https://10.96.0.1:443", None),
        ("https://172.16.0.1:443", "http://proxy:1"),
        ("https://kubernetes.default.svc", None),
        ("https://[fd00::1]:443", None),
    ],
)
def test_no_proxy_holds_hosts_domains_and_networks(
    monkeypatch: pytest.MonkeyPatch, server: str, proxy: str | None
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1, 10.96.0.0/12,.svc,fd00::/8")
    assert environment_proxy(server) == proxy


async def test_nowhere_to_log_in_to_says_where_it_looked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(LoginError, match="KUBECONFIG is not set"):
        await Login.find({})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "there is no such file"),
        ("", " is empty"),
        (" \n# nothing\n", " is empty"),
        ("---\n", " is empty"),
        ("- a\n", "it is not of a kubeconfig's form"),
        ("apiVersion: v1\n", "current-context"),
    ],
)
@pytest.mark.parametrize("beside", ["", "{folder}/other:", ":"])
async def test_what_is_wrong_with_a_kubeconfig_is_told(
    tmp_path: Path, content: str | None, told: str, beside: str
) -> None:
    """Alone, and beside one that is missing, which kubectl passes over."""
    path = tmp_path / "config"
    if content is not None:
        path.write_text(content)
    named = beside.format(folder=tmp_path) + str(path)
    with pytest.raises(LoginError) as raised:
        await Login.find({"KUBECONFIG": named})
    text = str(raised.value)
    assert text.startswith(f"cannot log in with kubeconfig {named}: ")
    assert told in text
    assert "\n" not in text


async def test_a_missing_kubeconfig_beside_a_good_one_is_passed_over(tmp_path: Path) -> None:
    write_kubeconfig(tmp_path / "good", "http://127.0.0.1:1", "first")
    named = f"{tmp_path / 'missing'}:{tmp_path / 'good'}"
    assert (await Login.find({"KUBECONFIG": named})).server == "http://127.0.0.1:1"


class TokenServer:
    """An API server that knows one token."""

    def __init__(self) -> None:
        self.accepted = "first"
        self.asked = 0
        app = web.Application()
        app.router.add_get("/api/v1/nodes", self._nodes)
        self.http = TestServer(app)

    async def _nodes(self, request: web.Request) -> web.Response:
        self.asked += 1
        if request.headers.get("Authorization") != f"Bearer {self.accepted}":
            return web.json_response({"message": "Unauthorized"}, status=401)
        return web.json_response({"metadata": {"resourceVersion": "1"}, "items": []})


def write_kubeconfig(path: Path, server: str, token: str) -> None:
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server.rstrip("/")}}],
        "users": [{"name": "u", "user": {"token": token}}],
    }
    path.write_text(json.dumps(config))


@pytest.fixture
async def server() -> AsyncIterator[TokenServer]:
    running = TokenServer()
    await running.http.start_server()
    yield running
    await running.http.close()


async def test_a_token_that_was_changed_is_read_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: TokenServer
) -> None:
    monkeypatch.setattr(login_module, "_RELOAD_EVERY", 0.0)
    path, url = tmp_path / "kubeconfig", str(server.http.make_url(""))
    write_kubeconfig(path, url, "first")
    async with Client(await Login.find({"KUBECONFIG": str(path)})) as api:
        assert await api.list(NODES) == ([], "1")
        server.accepted = "second"
        write_kubeconfig(path, url, "second")
        assert await api.list(NODES) == ([], "1")


async def test_a_wrong_token_is_asked_about_once_more_and_not_for_ever(
    tmp_path: Path, server: TokenServer
) -> None:
    path = tmp_path / "kubeconfig"
    write_kubeconfig(path, str(server.http.make_url("")), "wrong")
    async with Client(await Login.find({"KUBECONFIG": str(path)})) as api:
        for _ in range(3):
            with pytest.raises(ApiUnauthorizedError, match="service account token"):
                await api.list(NODES)
    assert server.asked <= 4


@pytest.mark.parametrize("content", [None, "", "- a"])
async def test_a_login_that_cannot_be_read_for_a_moment_is_an_answer_like_any_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: TokenServer, content: str | None
) -> None:
    monkeypatch.setattr(login_module, "_RELOAD_EVERY", 0.0)
    path, url = tmp_path / "kubeconfig", str(server.http.make_url(""))
    write_kubeconfig(path, url, "first")
    async with Client(await Login.find({"KUBECONFIG": str(path)})) as api:
        server.accepted = "second"
        path.unlink()
        if content is not None:
            path.write_text(content)
        with pytest.raises(ApiUnauthorizedError):
            await api.list(NODES)
        write_kubeconfig(path, url, "second")
        assert await api.list(NODES) == ([], "1")
