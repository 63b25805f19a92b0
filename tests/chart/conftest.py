"""Helm, and a real API server to install on; both are built when they are not there yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed import binaries
from testbed.apiserver import ApiServer
from tests.chart.helm import CHART, Helm

OUR_KINDS = "spidercoordinators,spidermultusconfigs"


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(binaries.ensure(), tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def server() -> Iterator[ApiServer]:
    with ApiServer() as server:
        yield server


@pytest.fixture
def cluster(server: ApiServer, helm: Helm, tmp_path: Path) -> Iterator[Helm]:
    """A cluster without releases; what a test leaves is removed after it, except the CRDs."""
    cluster = Helm(helm.binaries, tmp_path, server.kubeconfig)
    yield cluster
    for release in cluster.run("list", "--all", "--short").stdout.split():
        cluster.run("uninstall", release, "--no-hooks")
    # Mostly nothing is left: one question then, in place of a command for each kind.
    left = cluster.names(OUR_KINDS, "--all-namespaces")
    for name in left:
        if name.startswith("spidercoordinator."):
            cluster.kubectl("patch", name, "--type=merge", '-p={"metadata":{"finalizers":null}}')
    if left:
        cluster.kubectl("delete", OUR_KINDS, "--all", "--all-namespaces", check=False)


@pytest.fixture
def with_kinds(cluster: Helm) -> Helm:
    """A cluster that knows the chart's kinds, which a dry run does not bring."""
    cluster.kubectl("apply", "-f", str(CHART / "crds"))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all")
    return cluster
