"""What helm tells after an install: the next steps, and what may surprise."""

import json
import re

import pytest

from spidercoordinator.core.coordinator.linkaddress import OWNED
from tests.chart.helm import CHART, Helm, Object, merged, nested

NO_SPIDERPOOL = "Spiderpool's IPAM is not installed here"
NO_MULTUS = "install Multus"
OTHER_CRD = "helm does not replace CRDs"
QUIET = nested("defaultIPAM.type", "host-local")


def warnings(notes: str) -> list[str]:
    _, _, told = notes.partition("WARNING:")
    return [line.removeprefix("  - ") for line in told.splitlines() if line.startswith("  - ")]


def test_next_steps(cluster: Helm) -> None:
    notes = cluster.install()
    for step in (
        "kubectl -n default rollout status deployment/test-spidercoordinator-operator",
        "kubectl -n default rollout status daemonset/test-spidercoordinator-installer",
        "kubectl get spidercoordinators.spiderpool.spidernet.io default -o yaml",
        "kubectl patch spidercoordinators default --type='merge'",
        "kind: SpiderMultusConfig",
        "ip addr show veth0",
    ):
        assert step in notes


def test_which_of_several_replicas_works(cluster: Helm) -> None:
    look = "kubectl -n default get lease test-spidercoordinator-operator"
    assert look not in cluster.install()
    assert look in cluster.install(nested("operator.replicas", 2))


def test_the_network_of_the_notes_is_accepted(cluster: Helm) -> None:
    notes = cluster.install()
    _, _, rest = notes.partition("cat <<EOF | kubectl apply -f -\n")
    manifest, _, _ = rest.partition("EOF")
    cluster.kubectl("apply", "-f", "-", stdin=manifest)
    network = cluster.get("spidermultusconfigs", "macvlan-conf", "--namespace=kube-system")
    assert network["spec"]["coordinator"] == {"vethLinkAddress": "169.254.100.1"}


def test_the_patch_is_not_advised_when_there_is_an_address(cluster: Helm) -> None:
    notes = cluster.install(nested("coordinator.vethLinkAddress", "169.254.100.1"))
    assert '{"spec": {"vethLinkAddress"' not in notes


@pytest.mark.parametrize("job", [True, False])
def test_what_a_removal_leaves_and_what_to_do_when_it_fails(cluster: Helm, job: bool) -> None:
    notes = cluster.install(nested("uninstall.enabled", job))
    assert "new pods start with\nwhat these were rendered with last" in notes
    assert ("job\ntest-spidercoordinator-uninstall-or-no-hooks failed" in notes) is job
    assert "     helm uninstall test -n default --no-hooks\n     kubectl patch" in notes
    assert "put back" not in notes


def test_another_products_plugin_comes_back(cluster: Helm) -> None:
    assert "put back" in cluster.install(nested("installer.replaceForeign", True))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (nested("coordinator.vethLinkAddress", "8.8.8.8"), "is not link-local"),
        (nested("coordinator.vethLinkAddress", "fd00::1"), "is not link-local"),
        (nested("coordinator.vethLinkAddress", "169.254.169.254"), "metadata service"),
        (nested("coordinator.vethLinkAddress", "169.254.7.127"), "Istio ambient"),
        (nested("coordinator.enabled", False), 'SpiderCoordinator named "default" yourself'),
    ],
)
def test_warning_of_the_coordinator(cluster: Helm, values: Object, told: str) -> None:
    [found, _] = warnings(cluster.install(merged(QUIET, values)))
    assert told in found


def test_chart_and_operator_know_the_same_addresses_of_others() -> None:
    template = (CHART / "templates" / "_warnings.tpl").read_text()
    known = re.findall(r'^      "([0-9a-f.:]+)" "', template, re.MULTILINE)
    assert sorted(known) == sorted(OWNED)


@pytest.mark.parametrize("address", ["169.254.100.1", "fe80::1", "FE80::1", "febf::1", "", "none"])
def test_no_warning_of_a_link_local_address(cluster: Helm, address: str) -> None:
    [found] = warnings(
        cluster.install(merged(QUIET, nested("coordinator.vethLinkAddress", address)))
    )
    assert NO_MULTUS in found


def test_missing_neighbours(cluster: Helm) -> None:
    assert [NO_SPIDERPOOL in line or NO_MULTUS in line for line in warnings(cluster.install())] == [
        True,
        True,
    ]


def test_crds_of_another_version(cluster: Helm) -> None:
    assert OTHER_CRD not in cluster.install()
    name = "spidercoordinators.spiderpool.spidernet.io"
    path = "/spec/versions/0/schema/openAPIV3Schema/description"
    change = [{"op": "replace", "path": path, "value": "another"}]
    cluster.kubectl("patch", "crd", name, "--type=json", "-p", json.dumps(change))
    told = [line for line in warnings(cluster.install()) if OTHER_CRD in line]
    assert len(told) == 1
    assert name in told[0]
    crds = cluster.run("show", "crds", str(CHART)).stdout
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=crds)
    assert OTHER_CRD not in cluster.install()
