"""The rotator beside another replica that writes at the same time: nothing newer is undone."""

from __future__ import annotations

import base64
import shutil
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from spidercoordinator.errors import ApiConflictError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.login import Login
from spidercoordinator.kube.resource import SECRETS, VALIDATING_WEBHOOK_CONFIGURATIONS, Object
from spidercoordinator.runtime.certificaterotator import (
    CERTIFICATE,
    FORMER,
    KEY,
    CertificateRotator,
)
from spidercoordinator.runtime.certificates import self_signed
from tests.unit.kube.kubeconfig import write_kubeconfig

NAMES = ["webhook.net.svc"]
SECRET = SECRETS.path("net", "webhook")
CONFIGURATION = VALIDATING_WEBHOOK_CONFIGURATIONS.path("", "webhook")


class Server:
    """Keeps objects by path, as the API server does: a patch of an old version is a conflict."""

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.before_write: Callable[[str], None] = lambda _: None
        self.writes: list[str] = []
        app = web.Application()
        app.router.add_get("/{path:.*}", self._get)
        app.router.add_patch("/{path:.*}", self._patch)
        self.http = TestServer(app)

    def put(self, path: str, content: Object) -> None:
        meta = self.objects.get(path, {}).get("metadata", {})
        version = str(int(meta.get("resourceVersion", "0")) + 1)
        self.objects[path] = {"metadata": {"resourceVersion": version}, **content}

    async def _get(self, request: web.Request) -> web.Response:
        return self._answer(request.path)

    def _apply(self, path: str, body: Object) -> web.Response:
        """Without force: what others wrote of it meanwhile is a conflict."""
        self.before_write(path)
        if path in self.objects:
            raise web.HTTPConflict
        self.writes.append(path)
        meta = {"resourceVersion": "1", **body["metadata"]}
        self.objects[path] = {"data": body["data"], "metadata": meta}
        return self._answer(path)

    async def _patch(self, request: web.Request) -> web.Response:
        patch: dict[str, Any] = await request.json()
        if "apply" in request.content_type:
            return self._apply(request.path, patch)
        version = patch.pop("metadata")["resourceVersion"]
        self.before_write(request.path)
        if version != self.objects[request.path]["metadata"]["resourceVersion"]:
            raise web.HTTPConflict
        self.writes.append(request.path)
        data = {**self.objects[request.path].get("data", {}), **patch.get("data", {})}
        kept = {key: text for key, text in data.items() if text is not None}
        self.put(request.path, patch | ({"data": kept} if kept else {}))
        return self._answer(request.path)

    def _answer(self, path: str) -> web.Response:
        if path not in self.objects:
            raise web.HTTPNotFound
        return web.json_response(self.objects[path])


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    client_config = {"service": {"name": "webhook", "namespace": "net"}}
    made.put(CONFIGURATION, {"webhooks": [{"name": "one", "clientConfig": client_config}]})
    await made.http.start_server()
    yield made
    await made.http.close()


@pytest.fixture
async def rotator(server: Server, tmp_path: Path) -> AsyncIterator[CertificateRotator]:
    path = write_kubeconfig(server.http, tmp_path)
    async with Client(await Login.find({"KUBECONFIG": str(path)})) as api:
        yield CertificateRotator(api, "net", "webhook", tmp_path)


def encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def fresh() -> dict[str, str]:
    """The data of a Secret with a good certificate."""
    pair = self_signed(NAMES, datetime.now(UTC))
    return {CERTIFICATE: encode(pair.certificate), KEY: encode(pair.private_key)}


def trusted(server: Server) -> str:
    bundle = server.objects[CONFIGURATION]["webhooks"][0]["clientConfig"]["caBundle"]
    return base64.b64decode(bundle).decode()


async def test_a_certificate_is_made_once(server: Server, rotator: CertificateRotator) -> None:
    await rotator.sync()
    assert server.writes == [SECRET, CONFIGURATION]
    served = rotator.certificate_file.read_text()
    assert trusted(server) == served
    assert server.objects[SECRET]["data"][CERTIFICATE] == encode(served)
    await rotator.sync()
    assert server.writes == [SECRET, CONFIGURATION]


@pytest.mark.parametrize("found", [None, {"data": {CERTIFICATE: encode("rubbish"), KEY: ""}}])
async def test_what_another_replica_made_meanwhile_is_taken(
    server: Server, rotator: CertificateRotator, found: Object | None
) -> None:
    if found:
        server.put(SECRET, found)
    theirs = fresh()

    def be_first(path: str) -> None:
        if path == SECRET:
            server.put(SECRET, {"data": theirs})

    server.before_write = be_first
    await rotator.sync()
    assert server.writes == [CONFIGURATION]
    assert encode(rotator.certificate_file.read_text()) == theirs[CERTIFICATE]
    assert encode(rotator.key_file.read_text()) == theirs[KEY]
    assert encode(trusted(server)) == theirs[CERTIFICATE]


async def test_what_another_replica_wrote_is_judged_too(
    server: Server, rotator: CertificateRotator
) -> None:
    server.put(SECRET, {"data": {CERTIFICATE: encode("rubbish"), KEY: ""}})

    def spoil_once(path: str) -> None:
        if path == SECRET:
            server.before_write = lambda _: None
            server.put(SECRET, {"data": {CERTIFICATE: encode("other rubbish")}})

    server.before_write = spoil_once
    await rotator.sync()
    assert server.writes == [SECRET, CONFIGURATION]
    assert trusted(server) == rotator.certificate_file.read_text()


async def test_an_older_ca_bundle_does_not_come_back(
    server: Server, rotator: CertificateRotator
) -> None:
    server.put(SECRET, {"data": fresh()})
    theirs = fresh()

    def renew(path: str) -> None:
        # Another replica renews it, and has it trusted, before ours is.
        if path == CONFIGURATION:
            server.before_write = lambda _: None
            server.put(SECRET, {"data": theirs})
            server.put(CONFIGURATION, {"webhooks": server.objects[CONFIGURATION]["webhooks"]})

    server.before_write = renew
    await rotator.sync()
    assert encode(trusted(server)) == theirs[CERTIFICATE]
    assert encode(rotator.certificate_file.read_text()) == theirs[CERTIFICATE]


async def test_a_former_certificate_is_trusted_and_rubbish_is_not(
    server: Server, rotator: CertificateRotator
) -> None:
    data = fresh()
    former = self_signed(NAMES, datetime.now(UTC)).certificate
    for kept, text in ((former, former), ("", "rubbish")):
        server.put(SECRET, {"data": {**data, FORMER: encode(text)}})
        await rotator.sync()
        assert encode(trusted(server)) == encode(
            base64.b64decode(data[CERTIFICATE]).decode() + kept
        )


async def test_a_secret_that_was_deleted_comes_back_with_helms_marks_and_the_former_trusted(
    server: Server, rotator: CertificateRotator
) -> None:
    meta = {
        "labels": {"app.kubernetes.io/managed-by": "Helm", "other": "x"},
        "annotations": {"meta.helm.sh/release-name": "r", "other": "x"},
    }
    assert await rotator.sync()
    served = rotator.certificate_file.read_text()
    server.objects[CONFIGURATION]["metadata"] |= meta
    del server.objects[SECRET]
    assert await rotator.sync()
    made = server.objects[SECRET]
    assert made["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "Helm"}
    assert made["metadata"]["annotations"] == {"meta.helm.sh/release-name": "r"}
    assert made["data"][CERTIFICATE] != encode(served)
    # Other replicas serve it a moment longer.
    assert trusted(server) == rotator.certificate_file.read_text() + served
    assert not await rotator.sync()


def pem_of_rsa(bits: int) -> dict[str, str]:
    """A good certificate but for its key, which no TLS library takes."""
    key = rsa.generate_private_key(65537, bits)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "weak")])
    now = datetime.now(UTC)
    alternatives = x509.SubjectAlternativeName([x509.DNSName(NAMES[0])])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=300))
        .add_extension(alternatives, critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    return {
        CERTIFICATE: encode(made.public_bytes(serialization.Encoding.PEM).decode()),
        KEY: encode(key.private_bytes(serialization.Encoding.PEM, form, plain).decode()),
    }


def other_key() -> dict[str, str]:
    return {**fresh(), KEY: fresh()[KEY]}


def second_is_rubbish() -> dict[str, str]:
    """A good one, followed by one that the API server takes for no certificate."""
    good = fresh()
    block = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    return {**good, CERTIFICATE: encode(base64.b64decode(good[CERTIFICATE]).decode() + block)}


def pair(names: list[str], days: int) -> dict[str, str]:
    made = self_signed(names, datetime.now(UTC) - timedelta(days=30), validity=timedelta(days=days))
    return {CERTIFICATE: encode(made.certificate), KEY: encode(made.private_key)}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(other_key, id="key of another certificate"),
        pytest.param(lambda: pair(NAMES, 20), id="expired"),
        pytest.param(lambda: pair(["elsewhere.net.svc"], 300), id="for another name"),
        pytest.param(lambda: {**fresh(), KEY: encode("rubbish")}, id="key is rubbish"),
        pytest.param(lambda: {**fresh(), KEY: ""}, id="no key"),
        pytest.param(lambda: {**fresh(), CERTIFICATE: encode("rubbish")}, id="rubbish"),
        pytest.param(lambda: {**fresh(), CERTIFICATE: "no base64"}, id="no base64"),
        pytest.param(second_is_rubbish, id="a second certificate is rubbish"),
        pytest.param(lambda: pem_of_rsa(1024), id="a key too weak to be served"),
        pytest.param(dict, id="nothing"),
    ],
)
async def test_what_cannot_be_served_is_renewed_while_it_runs(
    server: Server, rotator: CertificateRotator, data: Callable[[], dict[str, str]]
) -> None:
    await rotator.sync()
    server.put(SECRET, {"data": data()})
    assert await rotator.sync()
    now = server.objects[SECRET]["data"]
    assert now[CERTIFICATE] == encode(rotator.certificate_file.read_text())
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
        rotator.certificate_file, rotator.key_file
    )
    assert trusted(server).startswith(rotator.certificate_file.read_text())
    assert rotator.ends() > datetime.now(UTC).timestamp()
    assert not await rotator.sync()


async def test_a_ca_bundle_that_was_edited_comes_back(
    server: Server, rotator: CertificateRotator
) -> None:
    await rotator.sync()
    good = trusted(server)
    for bundle in ("", encode("other")):
        webhooks = server.objects[CONFIGURATION]["webhooks"]
        edited = [
            {**each, "clientConfig": {**each["clientConfig"], "caBundle": bundle}}
            for each in webhooks
        ]
        server.put(CONFIGURATION, {"webhooks": edited})
        assert await rotator.sync()
        assert trusted(server) == good


async def test_files_that_were_removed_come_back(
    server: Server, rotator: CertificateRotator, tmp_path: Path
) -> None:
    assert server.objects
    inner = replace(rotator, folder=tmp_path / "inner")
    await inner.sync()
    shutil.rmtree(inner.folder)
    await inner.sync()
    assert inner.key_file.exists()
    assert inner.key_file.stat().st_mode & 0o077 == 0


async def test_who_is_always_second_gives_up(server: Server, rotator: CertificateRotator) -> None:
    server.before_write = lambda path: server.put(path, {"data": {CERTIFICATE: ""}})
    with pytest.raises(ApiConflictError):
        await rotator.sync()
    assert server.writes == []
    assert not rotator.certificate_file.exists()
