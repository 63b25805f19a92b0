"""The last tests: the product goes, nothing is stuck, pods still start, and it can come back."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster import COORDINATORS, NETWORKS, Cluster, Release, eventually
from tests.e2e.conftest import MakeNetwork, MakePod, install, upgrade
from tests.e2e.manifests import NAMESPACE

pytestmark = pytest.mark.last


def by_its_job(cluster: Cluster, release: Release) -> None:
    """As everybody does it."""
    text = f"helm uninstall {release.name} -n {release.namespace} --wait --timeout 2m"
    cluster.shell.output(text)


def by_hand(cluster: Cluster, release: Release) -> None:
    """As the message and the notes say when the Job cannot run: here its image is nowhere."""
    name = f"{release.name} -n {release.namespace}"
    upgrade(cluster, release, "--set operator.image.tag=no-such-tag")
    # Helm would wait for longer than the Job has.
    refused = cluster.shell.run(f"helm uninstall {name} --timeout 2m")
    assert not refused.ok
    assert "-uninstall-or-no-hooks failed: DeadlineExceeded" in refused.output
    cluster.shell.output(f"helm uninstall {name} --no-hooks")
    # Not with --wait, which would wait for this one. The operator may have taken it off.
    cluster.patch(COORDINATORS, "default", {"metadata": {"finalizers": None}})


@pytest.fixture(params=[by_its_job, by_hand])
def uninstalled(
    cluster: Cluster,
    synced: Release,
    network: MakeNetwork,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[tuple[Release, str]]:
    """Take the product away under a network, and bring it back with the values it had.

    Gives the release and the configuration of the network's NAD before.
    """
    network("orphan")
    config = cluster.config("orphan", NAMESPACE) or ""
    assert "notReadyReason" not in config
    text = f"helm get values {synced.name} -n {synced.namespace} -o yaml"
    before = tmp_path / "values.yaml"
    before.write_text(cluster.shell.output(text))
    request.param(cluster, synced)
    yield synced, config
    eventually("the SpiderCoordinator is gone", lambda: not cluster.items(COORDINATORS), 30)
    install(cluster, synced, before)


def test_nothing_is_stuck_and_pods_still_start(
    cluster: Cluster, uninstalled: tuple[Release, str], pod: MakePod
) -> None:
    release, config = uninstalled
    selector = f"-n {release.namespace} -l app.kubernetes.io/instance={release.name}"
    eventually("the SpiderCoordinator is gone", lambda: not cluster.items(COORDINATORS), 30)
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
    assert release.name not in {each["name"] for each in releases}
    # A network keeps serving pods without the operator, and goes when its user deletes it.
    assert cluster.config("orphan", NAMESPACE) == config
    pod("after-the-uninstall", f"{NAMESPACE}/orphan")
    cluster.delete("pod", "after-the-uninstall", NAMESPACE)
    cluster.delete(NETWORKS, "orphan", NAMESPACE)
    eventually("its NAD is gone", lambda: cluster.config("orphan", NAMESPACE) is None)
