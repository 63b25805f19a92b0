"""The last test: the product goes, nothing is stuck, and it can come back."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster import COORDINATORS, NETWORKS, Cluster, Release, eventually
from tests.e2e.conftest import MakeNetwork, install
from tests.e2e.manifests import NAMESPACE

pytestmark = pytest.mark.last


@pytest.fixture
def uninstalled(
    cluster: Cluster, synced: Release, network: MakeNetwork, tmp_path: Path
) -> Iterator[Release]:
    """Take the product away under a network, and bring it back with the values it had."""
    network("orphan")
    text = f"helm get values {synced.name} -n {synced.namespace} -o yaml"
    before = tmp_path / "values.yaml"
    before.write_text(cluster.shell.output(text))
    cluster.shell.output(f"helm uninstall {synced.name} -n {synced.namespace} --wait --timeout 2m")
    yield synced
    install(cluster, synced, before)


def test_nothing_is_stuck(cluster: Cluster, uninstalled: Release) -> None:
    selector = f"-n {uninstalled.namespace} -l app.kubernetes.io/instance={uninstalled.name}"
    assert cluster.items(COORDINATORS) == []
    for kind in (
        "deployments",
        "daemonsets",
        "jobs",
        "serviceaccounts",
        "configmaps",
        "leases",
        "roles",
    ):
        assert cluster.items(kind, selector) == [], kind
    eventually("its pods are gone", lambda: not cluster.items("pods", selector), 60)
    releases = json.loads(cluster.shell.output("helm list --all-namespaces --all -o json"))
    assert uninstalled.name not in {each["name"] for each in releases}
    # A network keeps serving pods without the operator, and goes when its user deletes it.
    assert cluster.config("orphan", NAMESPACE)
    cluster.delete(NETWORKS, "orphan", NAMESPACE)
    eventually("its NAD is gone", lambda: cluster.config("orphan", NAMESPACE) is None)
