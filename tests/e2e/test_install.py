"""The chart is installed: its pods run, its kinds are served, a bad value is refused."""

import pytest

from tests.e2e.cluster import COORDINATORS, Cluster, Release, eventually
from tests.e2e.conftest import CHART


def test_operator_and_installers_run(cluster: Cluster, release: Release) -> None:
    selector = f"-n {release.namespace} -l app.kubernetes.io/instance={release.name}"
    nodes = len(cluster.items("nodes"))

    def ready() -> bool:
        [deployment] = cluster.items("deployments", selector)
        [daemonset] = cluster.items("daemonsets", selector)
        operators = deployment["status"].get("readyReplicas", 0)
        installers = daemonset["status"]["numberReady"]
        return bool(operators == deployment["spec"]["replicas"] and installers == nodes)

    eventually("the operator and an installer on every node are Ready", ready, 60)


def test_no_container_is_privileged_or_root_without_need(
    cluster: Cluster, release: Release
) -> None:
    selector = f"-n {release.namespace} -l app.kubernetes.io/instance={release.name}"
    for pod in cluster.items("pods", selector):
        for container in pod["spec"]["containers"]:
            context = container["securityContext"]
            assert not context.get("privileged"), container["name"]
            assert context["allowPrivilegeEscalation"] is False, container["name"]
            assert context["capabilities"]["drop"] == ["ALL"], container["name"]


def test_operator_runs_as_nobody_without_compilers(cluster: Cluster, release: Release) -> None:
    look = "import os, shutil; print(os.getuid(), [shutil.which(n) for n in ('cc', 'go', 'uv')])"
    selector = f"-n {release.namespace} -l app.kubernetes.io/instance={release.name}"
    [deployment] = cluster.items("deployments", selector)
    operator = f"-n {release.namespace} deployment/{deployment['metadata']['name']}"
    output = cluster.shell.output(f'kubectl exec {operator} -- python3 -c "{look}"')
    assert output.strip() == "65532 [None, None, None]"


@pytest.mark.parametrize("resources", ["scc", "spco", "smc", "spiderpool"])
def test_kinds_have_short_names_and_a_category(cluster: Cluster, resources: str) -> None:
    assert cluster.shell.run(f"kubectl get {resources} -A").ok


def test_kubectl_shows_what_matters(cluster: Cluster, synced: Release) -> None:
    del synced
    head, row = cluster.shell.output(f"kubectl get {COORDINATORS} default").splitlines()
    assert head.split("  ")[0] == "NAME"
    for column in ("PHASE", "MODE", "POD CIDR TYPE", "VETH LINK ADDRESS", "AGE"):
        assert column in head
    assert row.split()[:3] == ["default", "Synced", "auto"]


def test_helm_refuses_an_address_that_is_none(cluster: Cluster, release: Release) -> None:
    result = cluster.shell.run(
        f"helm upgrade {release.name} {CHART} -n {release.namespace} --reuse-values "
        "--set coordinator.vethLinkAddress=169.254.100.256"
    )
    assert not result.ok
    assert "coordinator.vethLinkAddress" in result.output
    assert "169.254.100.256" in result.output
