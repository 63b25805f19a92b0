"""What becomes of a release: an upgrade that cannot run, a second release, CRDs of an earlier one.

Each step has its time. What an uninstall leaves is in test_uninstall.py.
"""

import json
from collections.abc import Iterator

import pytest

from testbed.demo.shell import Result
from tests.e2e.cluster import NETWORKS, Cluster, Object, Release, eventually
from tests.e2e.conftest import CHART, MakeNetwork, MakePod
from tests.e2e.manifests import NAMESPACE

NOWHERE = "operator.image.tag=no-such-tag,installer.image.tag=no-such-tag"
OLD = "As an earlier release said it."
SCHEMA = "/spec/versions/0/schema/openAPIV3Schema"
SETTINGS = f"{SCHEMA}/properties/spec/properties/coordinator/properties"


def helm(cluster: Cluster, release: Release, verb: str, flags: str, seconds: int) -> Result:
    """Run helm for a release; the test fails when it does not end in so many seconds."""
    chart = CHART if verb in {"install", "upgrade"} else ""
    command = f"helm {verb} {release.name} {chart} -n {release.namespace} {flags}"
    return cluster.shell.run(command, seconds)


def images(cluster: Cluster, release: Release) -> set[str]:
    """The images of the release's Deployment and DaemonSet."""
    selector = f"-n {release.namespace} -l app.kubernetes.io/instance={release.name}"
    return {
        container["image"]
        for kind in ("deployments", "daemonsets")
        for each in cluster.items(kind, selector)
        for container in each["spec"]["template"]["spec"]["containers"]
    }


@pytest.mark.usefixtures("reinstalled")
def test_an_upgrade_whose_images_are_nowhere_harms_nothing_and_is_rolled_back(
    cluster: Cluster, synced: Release, network: MakeNetwork, pod: MakePod
) -> None:
    before = images(cluster, synced)
    flags = f"--reuse-values --wait --timeout 8s --set {NOWHERE}"
    broken = helm(cluster, synced, "upgrade", flags, 60)
    assert not broken.ok
    assert "UPGRADE FAILED" in broken.output
    assert images(cluster, synced) != before
    # The old operator works on, and the plugins of the old installer are still there.
    pod("while-broken", network("while-broken"))
    back = helm(cluster, synced, "rollback", "--wait --timeout 60s", 90)
    assert back.ok, back.output
    assert images(cluster, synced) == before
    selector = f"-n {synced.namespace} -l app.kubernetes.io/instance={synced.name}"

    def only_the_old() -> bool:
        found = [e for e in cluster.items("pods", selector) if "job-name" not in str(e)]
        used = {c["image"] for each in found for c in each["spec"]["containers"]}
        return bool(used) and used <= before

    eventually("no pod of the broken upgrade is left", only_the_old, 30)
    network("rolled-back")


@pytest.mark.parametrize("setting", ["coordinator.name=other", "coordinator.enabled=false"])
def test_a_second_release_is_refused_before_anything_is_made(
    cluster: Cluster, synced: Release, setting: str
) -> None:
    second = Release("second", "default")
    flags = f"--set global.imageRegistryOverride=localhost,{setting}"
    refused = helm(cluster, second, "install", flags, 60)
    assert not refused.ok
    assert f"release {synced.name} in namespace {synced.namespace} runs" in refused.output
    assert f"helm upgrade {synced.name} -n {synced.namespace}" in refused.output
    kinds = "deployments,daemonsets,clusterroles,serviceaccounts,secrets"
    assert cluster.items(kinds, "-A -l app.kubernetes.io/instance=second") == []
    releases = json.loads(cluster.shell.output("helm list --all-namespaces --all -o json"))
    assert "second" not in {each["name"] for each in releases}


@pytest.fixture
def old_crd(cluster: Cluster) -> Iterator[str]:
    """The networks' CRD as an earlier release had it: another description, one field less."""
    name = NETWORKS
    patch = [
        {"op": "replace", "path": f"{SCHEMA}/description", "value": OLD},
        {"op": "remove", "path": f"{SETTINGS}/announce"},
    ]
    cluster.shell.output(f"kubectl patch crd {name} --type=json -p '{json.dumps(patch)}'")
    yield name
    cluster.shell.output(f"kubectl apply --server-side --force-conflicts -f {CHART}/crds")


def schema(cluster: Cluster, name: str) -> Object:
    found: Object = (cluster.get("crd", name) or {})["spec"]["versions"][0]["schema"]
    inner: Object = found["openAPIV3Schema"]
    return inner


@pytest.mark.usefixtures("reinstalled")
def test_old_crds_are_taken_over_and_networks_live_on(
    cluster: Cluster, synced: Release, network: MakeNetwork, old_crd: str
) -> None:
    network("older")
    before = cluster.get(NETWORKS, "older", NAMESPACE) or {}
    config = cluster.config("older", NAMESPACE)
    flags = "--reuse-values --wait --timeout 60s --set crds.enabled=true --take-ownership"
    upgraded = helm(cluster, synced, "upgrade", flags, 90)
    assert upgraded.ok, upgraded.output
    assert schema(cluster, old_crd)["description"] != OLD
    coordinator = {"announce": False}

    def stored() -> bool:
        """Patch it; an API server prunes by the old schema until it has taken in the new one."""
        assert cluster.patch(
            NETWORKS, "older", {"spec": {"coordinator": coordinator}}, NAMESPACE
        ).ok
        found = cluster.get(NETWORKS, "older", NAMESPACE) or {}
        return bool(found["spec"].get("coordinator") == coordinator)

    eventually("the field that is new is stored", stored)
    eventually(
        "the field that is new takes effect",
        lambda: '"announce":false' in (cluster.config("older", NAMESPACE) or ""),
    )
    assert cluster.patch(NETWORKS, "older", {"spec": {"coordinator": None}}, NAMESPACE).ok
    eventually("it is as before", lambda: cluster.config("older", NAMESPACE) == config)
    after = cluster.get(NETWORKS, "older", NAMESPACE) or {}
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
