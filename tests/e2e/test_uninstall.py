"""The last tests: the product goes, nothing is stuck, pods still start, and it can come back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from testbed.demo.shell import Result
from tests.e2e.cluster import COORDINATORS, NETWORKS, Cluster, Object, Release, eventually
from tests.e2e.conftest import MakeNetwork, MakePod, install, upgrade
from tests.e2e.manifests import NAMESPACE

pytestmark = pytest.mark.last

SECONDS = 60
"""Within which `helm uninstall` ends, whatever keeps it: its Job has 20 of them."""
DENIED = "nobody removes it now"
POLICY = "e2e-keeps-the-spidercoordinator"


def selector(release: Release) -> str:
    return f"-n {release.namespace} -l app.kubernetes.io/instance={release.name}"


def uninstall(cluster: Cluster, release: Release, flags: str = "") -> Result:
    """Run `helm uninstall`; the test fails when it takes too long."""
    # Helm would wait for longer than the Job has.
    command = f"helm uninstall {release.name} -n {release.namespace} --timeout 2m {flags}"
    return cluster.shell.run(command, SECONDS)


def by_a_job_that_fails_first(cluster: Cluster, release: Release) -> None:
    """As everybody does it; the first time the API server refuses what the Job does."""
    with refusing(cluster, release):
        refused = uninstall(cluster, release)
        assert not refused.ok
        assert "-uninstall-or-no-hooks failed: BackoffLimitExceeded" in refused.output
        assert DENIED in refused.output
        assert "go on by hand: helm uninstall RELEASE --no-hooks" in refused.output
        assert cluster.items("deployments", selector(release)) != []
        assert cluster.items(COORDINATORS) != []
    done = uninstall(cluster, release, "--wait")
    assert done.ok, done.output


def by_hand(cluster: Cluster, release: Release) -> None:
    """As the message and the notes say when the Job cannot run: here its image is nowhere."""
    upgrade(cluster, release, "--set operator.image.tag=no-such-tag")
    refused = uninstall(cluster, release)
    assert not refused.ok
    assert "-uninstall-or-no-hooks failed: DeadlineExceeded" in refused.output
    done = uninstall(cluster, release, "--no-hooks")
    assert done.ok, done.output
    # Not with --wait, which would wait for this one. The operator may have taken it off.
    cluster.patch(COORDINATORS, "default", {"metadata": {"finalizers": None}})


@contextmanager
def refusing(cluster: Cluster, release: Release) -> Iterator[None]:
    """Let the API server refuse the Job's account to delete a SpiderCoordinator."""
    for each in policy():
        cluster.apply(each)
    account = f"--as=system:serviceaccount:{release.namespace}:e2e-uninstall"
    attempt = f"kubectl delete {COORDINATORS} default --dry-run=server {account}"

    def denied() -> bool:
        return DENIED in cluster.shell.run(f"{attempt} --as-group=system:masters").output

    eventually("the policy is in force", denied, 60)
    try:
        yield
    finally:
        kinds = "validatingadmissionpolicybinding,validatingadmissionpolicy"
        cluster.shell.output(f"kubectl delete {kinds} {POLICY}")
        eventually("the policy is in force no more", lambda: not denied(), 60)


def policy() -> tuple[Object, Object]:
    """The policy, and its binding."""
    rule = {
        "apiGroups": ["spiderpool.spidernet.io"],
        "apiVersions": ["*"],
        "operations": ["DELETE"],
        "resources": ["spidercoordinators"],
    }
    account = "request.userInfo.username.endsWith('-uninstall')"
    spec = {
        "matchConstraints": {"resourceRules": [rule]},
        "matchConditions": [{"name": "account", "expression": account}],
        "validations": [{"expression": "false", "message": DENIED}],
    }
    base = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": POLICY}}
    bound = {"policyName": POLICY, "validationActions": ["Deny"]}
    return (
        {**base, "kind": "ValidatingAdmissionPolicy", "spec": spec},
        {**base, "kind": "ValidatingAdmissionPolicyBinding", "spec": bound},
    )


@dataclass(frozen=True)
class Removed:
    """A release that is gone, and what was there before.

    Attributes:
        release: its name and namespace.
        values: a file with those it had.
        configs: the NADs' configurations, by network.
        uids: of the networks.
    """

    release: Release
    values: Path
    configs: dict[str, str]
    uids: dict[str, str]


def uid(cluster: Cluster, network: str) -> str:
    return str((cluster.get(NETWORKS, network, NAMESPACE) or {})["metadata"]["uid"])


def installed(cluster: Cluster, release: Release) -> bool:
    releases = json.loads(cluster.shell.output("helm list --all-namespaces --all -o json"))
    return release.name in {each["name"] for each in releases}


@pytest.fixture(params=[by_a_job_that_fails_first, by_hand])
def removed(
    cluster: Cluster,
    synced: Release,
    network: MakeNetwork,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Removed]:
    """Take the product away under two networks; it is there again afterwards."""
    for name in ("orphan", "kept"):
        network(name)
    configs = {name: cluster.config(name, NAMESPACE) or "" for name in ("orphan", "kept")}
    assert "notReadyReason" not in str(configs)
    uids = {name: uid(cluster, name) for name in configs}
    text = f"helm get values {synced.name} -n {synced.namespace} -o yaml"
    values = tmp_path / "values.yaml"
    values.write_text(cluster.shell.output(text))
    request.param(cluster, synced)
    yield Removed(synced, values, configs, uids)
    if not installed(cluster, synced):
        eventually("the SpiderCoordinator is gone", lambda: not cluster.items(COORDINATORS), 30)
        install(cluster, synced, values)


def test_nothing_is_stuck_pods_still_start_and_it_comes_back(
    cluster: Cluster, removed: Removed, pod: MakePod
) -> None:
    release = removed.release
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
        assert cluster.items(kind, selector(release)) == [], kind
    eventually("its pods are gone", lambda: not cluster.items("pods", selector(release)), 60)
    assert not installed(cluster, release)
    # A network keeps serving pods without the operator, and goes when its user deletes it.
    assert cluster.config("orphan", NAMESPACE) == removed.configs["orphan"]
    pod("after-the-uninstall", f"{NAMESPACE}/orphan")
    cluster.delete("pod", "after-the-uninstall", NAMESPACE)
    cluster.delete(NETWORKS, "orphan", NAMESPACE)
    eventually("its NAD is gone", lambda: cluster.config("orphan", NAMESPACE) is None)
    # The CRDs stayed, and with them the networks of whoever installs it again.
    install(cluster, release, removed.values)
    assert uid(cluster, "kept") == removed.uids["kept"]

    def synced() -> bool:
        found = cluster.get(COORDINATORS, "default") or {}
        held = found.get("metadata", {}).get("finalizers")
        return bool(held and found.get("status", {}).get("phase") == "Synced")

    eventually("the SpiderCoordinator is Synced again", synced, 60)
    assert cluster.config("kept", NAMESPACE) == removed.configs["kept"]
    patch = {"spec": {"coordinator": {"vethLinkAddress": "169.254.100.77"}}}
    assert cluster.patch(NETWORKS, "kept", patch, NAMESPACE).ok
    eventually(
        "the new operator renders it",
        lambda: "169.254.100.77" in (cluster.config("kept", NAMESPACE) or ""),
        60,
    )
