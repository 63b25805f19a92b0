"""One real API server for the session, the kinds applied, one operator process a module."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spidercoordinator.kube.client import Client
from spidercoordinator.kube.login import Login
from testbed import binaries
from testbed.apiserver import ApiServer
from tests.apiserver.harness import Cluster, Operator
from tests.apiserver.replicas import no_lease, pair, start

__all__ = ["no_lease", "pair", "start"]

ROOT = Path(__file__).parents[2]
NAD_CRD = ROOT / "testbed" / "manifests" / "network-attachment-definition.crd.yaml"


def kubectl(kubeconfig: Path, *arguments: str) -> str:
    command = [str(binaries.ensure() / "kubectl"), f"--kubeconfig={kubeconfig}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@contextmanager
def serving_our_kinds() -> Iterator[ApiServer]:
    """An API server that has our kinds and NetworkAttachmentDefinition."""
    with ApiServer() as running:
        for path in (ROOT / "crds", NAD_CRD):
            kubectl(running.kubeconfig, "apply", "-f", str(path))
        kubectl(running.kubeconfig, "wait", "--for=condition=Established", "crd", "--all")
        yield running


@pytest.fixture(scope="session")
def server() -> Iterator[ApiServer]:
    with serving_our_kinds() as running:
        yield running


@pytest.fixture(scope="session")
def controllers(server: ApiServer) -> None:
    """Kubernetes' garbage collector, and its controller of quotas."""
    server.start_controllers("garbage-collector-controller", "resourcequota-controller")


@pytest.fixture(scope="module")
def operator(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    running = Operator(server.kubeconfig, tmp_path_factory.mktemp("operator") / "log")
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def api(server: ApiServer) -> AsyncIterator[Client]:
    async with Client(await Login.find({"KUBECONFIG": str(server.kubeconfig)})) as client:
        yield client


@pytest.fixture
async def cluster(api: Client) -> AsyncIterator[Cluster]:
    made = Cluster(api)
    await made.clean()
    yield made
    await made.clean()
