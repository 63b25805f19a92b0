"""Who may read a node's metrics: the real API server decides, by what the chart grants."""

from __future__ import annotations

import http.client
import os
import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from testbed import binaries
from testbed.apiserver import ApiServer
from tests.apiserver.conftest import ROOT, kubectl
from tests.apiserver.harness import eventually
from tests.cni.conftest import wait_for

SPACE = "node-metrics"
OWN = "test-spidercoordinator-installer"
READER = "test-spidercoordinator-metrics-reader"
RIGHTS = {"ServiceAccount", "ClusterRole", "ClusterRoleBinding"}
LIMIT_KIB = 64 * 1024
"""The container's limit of memory by default."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("bin") / "coordinator-metrics"
    command = ["go", "build", "-trimpath", "-ldflags=-s -w", "-o", str(target)]
    subprocess.run(
        [*command, "./cmd/coordinator-metrics"],
        cwd=ROOT / "cni",
        check=True,
        env=os.environ | {"CGO_ENABLED": "0"},
    )
    return target


@pytest.fixture(scope="module")
def rights(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> ApiServer:
    """The API server with what the chart grants to who serves and to who reads."""
    values = ("installer.metrics.enabled=true", "metrics.podMonitor.enabled=true")
    helm = [str(binaries.ensure() / "helm"), "template", "test", f"--namespace={SPACE}"]
    chart = str(ROOT / "charts" / "spidercoordinator")
    command = [*helm, "--kube-version=1.34.0", f"--set={','.join(values)}", chart]
    rendered = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    objects = [each for each in yaml.safe_load_all(rendered) if each and each["kind"] in RIGHTS]
    manifest = tmp_path_factory.mktemp("rights") / "rights.yaml"
    manifest.write_text(yaml.safe_dump_all(objects))
    kubectl(server.kubeconfig, "create", "namespace", SPACE)
    kubectl(server.kubeconfig, "apply", "-f", str(manifest))
    kubectl(server.kubeconfig, "create", "serviceaccount", "stranger", f"--namespace={SPACE}")
    return server


def token(server: ApiServer, account: str) -> str:
    made = kubectl(server.kubeconfig, "create", "token", account, f"--namespace={SPACE}")
    return made.strip()


class Serving:
    """The program that serves a node's metrics, with the token of an account."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log
        pattern = re.compile(r"serving /metrics on 127\.0\.0\.1:(\d+)")
        wait_for(lambda: process.poll() is not None or bool(pattern.search(log.read_text())))
        found = pattern.search(log.read_text())
        assert found, log.read_text()
        self.port = int(found[1])

    def get(self, authorization: str | None = None, method: str = "GET") -> tuple[int, str]:
        """Status and text of the answer."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        headers = {"Authorization": authorization} if authorization is not None else {}
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=60, context=context
        )
        try:
            connection.request(method, "/metrics", headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def in_plain_text(self) -> int:
        """The status of an answer without TLS."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().status
        finally:
            connection.close()


@contextmanager
def serving(program: Path, server: ApiServer, account: str, folder: Path) -> Iterator[Serving]:
    (folder / "token").write_text(token(server, account))
    (folder / "ca.crt").write_bytes(server.authority.read_bytes())
    address = urlsplit(server.url)
    environment = {
        "KUBERNETES_SERVICE_HOST": str(address.hostname),
        "KUBERNETES_SERVICE_PORT": str(address.port),
    }
    log = folder / "log"
    flags = [
        f"--account-dir={folder}",
        f"--counters={folder / 'counters'}",
        f"--plugin-dir={folder}",
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(program), "--listen=127.0.0.1:0", *flags], stderr=out, env=environment
        )
    try:
        yield Serving(process, log)
    finally:
        process.terminate()
        assert process.wait(30) == 0


@pytest.fixture(scope="module")
def metrics(
    program: Path, rights: ApiServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Serving]:
    with serving(program, rights, OWN, tmp_path_factory.mktemp("account")) as running:
        yield running


def test_the_reader_of_the_chart_gets_in(metrics: Serving, rights: ApiServer) -> None:
    status, text = metrics.get(f"Bearer {token(rights, READER)}")
    assert status == 200
    names = {family.name for family in text_string_to_metric_families(text)}
    assert "spidercoordinator_node_counters_readable" in names
    assert "process_resident_memory_bytes" in names


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer x", "Basic cmVhZGVyOnBhc3N3b3Jk"]
)
def test_nobody_the_api_server_knows_is_refused(
    metrics: Serving, authorization: str | None
) -> None:
    status, text = metrics.get(authorization)
    assert status == 401
    assert "spidercoordinator_" not in text


def test_a_token_that_another_key_signed_is_refused(metrics: Serving, rights: ApiServer) -> None:
    head, claims, _ = token(rights, READER).split(".")
    assert metrics.get(f"Bearer {head}.{claims}.c2lnbmVk")[0] == 401


@pytest.mark.parametrize("account", ["stranger", OWN])
def test_an_account_that_may_not_read_is_forbidden(
    metrics: Serving, rights: ApiServer, account: str
) -> None:
    status, text = metrics.get(f"Bearer {token(rights, account)}")
    assert status == 403
    assert "spidercoordinator_" not in text
    assert "/metrics" in text


async def test_a_right_that_is_given_lets_in(metrics: Serving, rights: ApiServer) -> None:
    kubectl(rights.kubeconfig, "create", "serviceaccount", "scraper", f"--namespace={SPACE}")
    bearer = f"Bearer {token(rights, 'scraper')}"
    assert metrics.get(bearer)[0] == 403
    subject = f"--serviceaccount={SPACE}:scraper"
    role = f"--clusterrole={READER}"
    kubectl(rights.kubeconfig, "create", "clusterrolebinding", "scraper", role, subject)

    async def gets_in() -> bool:
        return metrics.get(bearer)[0] == 200

    await eventually("a refusal is forgotten", gets_in)


def test_nothing_is_told_without_tls(metrics: Serving) -> None:
    assert metrics.in_plain_text() == 400


def test_its_memory_stays_below_its_limit(metrics: Serving, rights: ApiServer) -> None:
    bearer = f"Bearer {token(rights, READER)}"
    for _ in range(10):
        assert metrics.get(bearer)[0] == 200
    status = Path(f"/proc/{metrics.process.pid}/status").read_text()
    assert int(status.split("VmHWM:")[1].split()[0]) < LIMIT_KIB


def test_without_its_rights_nobody_gets_in_and_the_log_says_why(
    program: Path, rights: ApiServer, tmp_path: Path
) -> None:
    with serving(program, rights, "stranger", tmp_path) as running:
        for _ in range(2):
            assert running.get(f"Bearer {token(rights, READER)}")[0] == 503
        lines = [line for line in running.log.read_text().splitlines() if "403" in line]
    assert len(lines) == 1, lines
    assert "TokenReview" in lines[0]
    assert "cannot create resource" in lines[0]
