"""Commands in containers, against a server that speaks the kubelet's protocol."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from spidercoordinator.cli.doctor import INSTALLER
from spidercoordinator.cli.nodes import examine_nodes
from spidercoordinator.cli.reader import Reader
from spidercoordinator.errors import ApiError, ApiForbiddenError, ApiUnavailableError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.execution import Container, Execution, execute
from spidercoordinator.kube.login import Login

WHERE = Container("ns", "pod", "main")
SUCCESS = json.dumps({"status": "Success"})


def failure(code: str) -> str:
    causes = [{"reason": "ExitCode", "message": code}]
    return json.dumps(
        {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}
    )


@dataclass
class Kubelet:
    """What it sends, and what it was asked for."""

    messages: list[tuple[int, str]] = field(default_factory=list)
    refuses: int = 0
    pods: list[dict[str, object]] = field(default_factory=list)
    asked: list[list[str]] = field(default_factory=list)
    token: str = ""

    async def execute(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.query.getall("command"))
        self.token = request.headers.get("Authorization", "")
        if self.refuses:
            return web.Response(status=self.refuses)
        socket = web.WebSocketResponse(protocols=["v4.channel.k8s.io"])
        await socket.prepare(request)
        for channel, text in self.messages:
            await socket.send_bytes(bytes([channel]) + text.encode())
        await socket.close()
        return socket

    async def list(self, _: web.Request) -> web.Response:
        return web.json_response({"metadata": {}, "items": self.pods})


@pytest.fixture
def kubelet() -> Kubelet:
    return Kubelet()


@pytest.fixture
async def api(kubelet: Kubelet, tmp_path: Path) -> AsyncIterator[Client]:
    app = web.Application()
    app.router.add_get("/api/v1/namespaces/{namespace}/pods/{pod}/exec", kubelet.execute)
    app.router.add_get("/api/v1/pods", kubelet.list)
    async with TestServer(app) as server:
        cluster = {"server": str(server.make_url("")).rstrip("/")}
        config = {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": {"token": "secret"}}],
        }
        path = tmp_path / "kubeconfig"
        path.write_text(json.dumps(config))
        login = await Login.find({}, kubeconfig=str(path), personal=True)
        async with Client(login) as client:
            yield client


async def test_output_errors_and_status_come_apart(api: Client, kubelet: Kubelet) -> None:
    kubelet.messages = [(1, ""), (1, "one\n"), (2, "bad"), (1, "two\n"), (3, failure("7"))]
    assert await execute(api, WHERE, ["a", "b c"]) == Execution(7, "one\ntwo\n", "bad")
    assert (kubelet.asked, kubelet.token) == ([["a", "b c"]], "Bearer secret")
    kubelet.messages = [(3, SUCCESS)]
    assert await execute(api, WHERE, ["a"]) == Execution(0, "", "")


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("", "the connection ended before the command did"),
        ("{", "the connection ended before the command did"),
        ("[]", "the connection ended before the command did"),
        ('{"status":"Failure","reason":"NonZeroExitCode"}', "the connection ended before"),
        ('{"status":"Failure","message":"no such container"}', "no such container"),
    ],
)
async def test_what_did_not_end_is_no_success(
    api: Client, kubelet: Kubelet, status: str, message: str
) -> None:
    kubelet.messages = [(1, "half"), (3, status)]
    with pytest.raises(ApiUnavailableError, match=f"exec in Pod ns/pod: {message}"):
        await execute(api, WHERE, ["a"])


@pytest.mark.parametrize(("code", "kind"), [(403, ApiForbiddenError), (500, ApiUnavailableError)])
async def test_a_refusal_is_one(
    api: Client, kubelet: Kubelet, code: int, kind: type[ApiError]
) -> None:
    kubelet.refuses = code
    with pytest.raises(kind, match="exec in Pod ns/pod"):
        await execute(api, WHERE, ["a"])


def pod(name: str, phase: str = "Running") -> dict[str, object]:
    meta = {"namespace": "ns", "name": f"installer-{name}"}
    return {"metadata": meta, "spec": {"nodeName": name}, "status": {"phase": phase}}


async def test_all_nodes_are_asked(api: Client, kubelet: Kubelet) -> None:
    kubelet.pods = [pod("a"), pod("b"), pod("c", "Pending")]
    kubelet.messages = [(1, "ERROR    kernel: 4.1: too old\n"), (3, failure("1"))]
    lines = [each.line for each in await examine_nodes(Reader(api), INSTALLER)]
    assert kubelet.asked == [["/coordinator-install", "doctor"]] * 2
    assert lines[0] == "ERROR    nodes a, b: kernel: 4.1: too old"
    assert "node c: node: its installer's pod ns/installer-c is Pending" in lines[1]

    kubelet.refuses = 403
    lines = [each.line for each in await examine_nodes(Reader(api), INSTALLER)]
    assert lines[0].startswith("UNSEEN   nodes a, b: node: exec in Pod of the installer: ")
    assert "ask an administrator" in lines[0]
