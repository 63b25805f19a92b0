"""The chart on a real API server: what is stored, what an upgrade changes, what stays.

There is no kubelet, so nothing runs and the uninstall hook is skipped; tests/e2e run it.
"""

import json
from typing import Any

import pytest
import yaml

from testbed import prometheus
from tests.chart.helm import CHART, EVERYTHING, Helm, Object, merged, nested

FINALIZER = "spiderpool.spidernet.io"
ADDRESS = "coordinator.vethLinkAddress"
OURS = "--selector=app.kubernetes.io/part-of=spidercoordinator"
MADE = (
    "serviceaccounts,configmaps,leases,services,deployments,daemonsets,jobs,poddisruptionbudgets,"
    "networkpolicies,roles,rolebindings,clusterroles,clusterrolebindings,spidercoordinators"
)
KINDS = ("servicemonitors", "podmonitors", "prometheusrules")
UNSERVED = ("serviceMonitor", "podMonitor", "prometheusRule")
CILIUM = "{apiVersion: v1, kind: Namespace, metadata: {name: cilium}}"
NETWORK = {
    "apiVersion": "spiderpool.spidernet.io/v2beta1",
    "kind": "SpiderMultusConfig",
    "metadata": {"name": "macvlan-conf", "namespace": "kube-system"},
    "spec": {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}},
}


def coordinator(cluster: Helm) -> Object:
    return cluster.get("spidercoordinators.spiderpool.spidernet.io", "default")


def spec(cluster: Helm) -> Object:
    found: Object = coordinator(cluster)["spec"]
    return found


def patch(cluster: Helm, body: Any) -> None:
    cluster.kubectl(
        "patch", "spidercoordinators", "default", "--type=merge", "-p", json.dumps(body)
    )


def test_install_makes_the_default_object(cluster: Helm) -> None:
    cluster.run("install", "test", str(CHART), "--set", f"{ADDRESS}=169.254.100.1")
    assert spec(cluster) == {
        "announce": True,
        "detectGateway": False,
        "detectIPConflict": False,
        "hijackCIDR": ["169.254.0.0/16"],
        "hostRPFilter": 0,
        "hostRuleTable": 500,
        "mode": "auto",
        "podCIDRType": "auto",
        "podDefaultRouteNIC": "",
        "podMACPrefix": "",
        "podRPFilter": 0,
        "tunePodRoutes": True,
        "txQueueLen": 0,
        "vethLinkAddress": "169.254.100.1",
    }


def test_upgrade_changes_it_and_keeps_the_finalizer(cluster: Helm) -> None:
    cluster.install()
    patch(cluster, {"metadata": {"finalizers": [FINALIZER]}})
    seen = []
    for address in ("169.254.100.1", "fe80::1", ""):
        cluster.run("upgrade", "test", str(CHART), "--set", f"{ADDRESS}={address}")
        seen.append(spec(cluster)["vethLinkAddress"])
        assert coordinator(cluster)["metadata"]["finalizers"] == [FINALIZER]
    assert seen == ["169.254.100.1", "fe80::1", ""]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("vethMTU", 1450),
        ("podCIDR", ["10.9.0.0/16"]),
        ("policyRoutes", [{"dst": "10.4.0.0/16", "gw": "10.4.0.1"}]),
        ("podMACPrefix", "0a:1b"),
        ("mode", "underlay"),
        ("detectGateway", True),
    ],
)
def test_upgrade_sets_and_takes_back(cluster: Helm, field: str, value: object) -> None:
    cluster.install()
    before = spec(cluster)
    cluster.install(nested(f"coordinator.{field}", value))
    assert spec(cluster)[field] == value
    cluster.install()
    assert spec(cluster) == before


def test_upgrade_leaves_alone_what_kubectl_changed(cluster: Helm) -> None:
    cluster.install()
    patch(cluster, {"spec": {"vethLinkAddress": "169.254.100.7"}})
    cluster.install(nested("coordinator.mode", "underlay"))
    assert (spec(cluster)["vethLinkAddress"], spec(cluster)["mode"]) == (
        "169.254.100.7",
        "underlay",
    )


def test_refused_values_make_nothing_but_crds(cluster: Helm) -> None:
    refused = cluster.run(
        "install", "test", str(CHART), "--set", f"{ADDRESS}=169.254.100", check=False
    )
    assert refused.returncode != 0
    assert 'coordinator.vethLinkAddress is "169.254.100", which is not an IP' in refused.stderr
    assert cluster.names(MADE, "--all-namespaces", OURS) == []
    assert cluster.run("list", "--all", "--short").stdout == ""


def test_a_refused_upgrade_changes_nothing(cluster: Helm) -> None:
    cluster.install(nested(ADDRESS, "169.254.100.1"))
    refused = cluster.run(
        "upgrade",
        "test",
        str(CHART),
        "--set",
        f"{ADDRESS}=nowhere,operator.replicas=3",
        check=False,
    )
    assert refused.returncode != 0
    assert spec(cluster)["vethLinkAddress"] == "169.254.100.1"
    assert cluster.get("deployment", "test-spidercoordinator-operator")["spec"]["replicas"] == 1


def test_the_api_server_takes_the_objects_of_the_prometheus_operator(cluster: Helm) -> None:
    cluster.kubectl("apply", "-f", "-", stdin=CILIUM)
    crds = [f"monitoring.coreos.com_{each}.yaml" for each in KINDS]
    files = [f"-f={prometheus.operator_crds() / each}" for each in crds]
    cluster.kubectl("apply", "--server-side", *files)
    cluster.kubectl("wait", "--for=condition=Established", *files)
    try:
        cluster.install(EVERYTHING)
        for kind in KINDS:
            assert cluster.names(kind, OURS) != [], kind
    finally:
        cluster.run("uninstall", "test", "--no-hooks", check=False)
        cluster.kubectl("delete", *files)


def test_the_api_server_takes_every_object_of_kubernetes(cluster: Helm) -> None:
    cluster.kubectl("apply", "-f", "-", stdin=CILIUM)
    unserved = [f"metrics.{each}.enabled" for each in UNSERVED]
    cluster.install(merged(EVERYTHING, *(nested(each, False) for each in unserved)))
    stored = {
        name.partition("/")[0].partition(".")[0]
        for name in cluster.names(MADE, "--all-namespaces", OURS)
    }
    assert stored == {kind.removesuffix("s").replace("ie", "y") for kind in MADE.split(",")} - {
        "job"
    }


def test_the_hook_is_accepted(cluster: Helm, helm: Helm) -> None:
    hooks = [
        thing
        for thing in helm.template()
        if thing["metadata"].get("annotations", {}).get("helm.sh/hook")
    ]
    told = cluster.kubectl(
        "apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump_all(hooks)
    ).stdout
    assert "job.batch/test-spidercoordinator-uninstall-or-no-hooks created (server dry run)" in told


def test_uninstall_keeps_crds_and_networks(cluster: Helm) -> None:
    cluster.install()
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(NETWORK))
    cluster.run("uninstall", "test", "--no-hooks")
    assert cluster.names(MADE, "--all-namespaces", OURS) == []
    assert len(cluster.names("customresourcedefinitions")) == 2
    assert cluster.get("spidermultusconfigs", "macvlan-conf", "--namespace=kube-system")
    cluster.install()
    assert spec(cluster)["mode"] == "auto"


def test_an_object_of_another_owner_is_kept_or_taken_over(cluster: Helm) -> None:
    theirs = {
        "apiVersion": "spiderpool.spidernet.io/v2beta1",
        "kind": "SpiderCoordinator",
        "metadata": {"name": "default"},
        "spec": {"mode": "underlay", "podCIDRType": "calico"},
    }
    cluster.kubectl("apply", "-f", str(CHART / "crds"))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all")
    cluster.apply([theirs])
    refused = cluster.run("install", "test", str(CHART), check=False)
    assert 'SpiderCoordinator "default"' in refused.stderr
    cluster.run("install", "test", str(CHART), "--set", "coordinator.enabled=false")
    assert spec(cluster)["mode"] == "underlay"
    cluster.run("uninstall", "test", "--no-hooks")
    cluster.run("install", "test", str(CHART), "--take-ownership")
    assert (spec(cluster)["mode"], spec(cluster)["podCIDRType"]) == ("auto", "auto")


@pytest.mark.parametrize(
    ("values", "flags"),
    [
        ({}, ()),
        (nested("coordinator.name", "other"), ()),
        (nested("coordinator.enabled", False), ("--take-ownership",)),
        (nested("fullnameOverride", "another"), ("--take-ownership",)),
    ],
)
def test_a_second_release_is_refused_with_the_first_ones_name(
    cluster: Helm, values: Object, flags: tuple[str, ...]
) -> None:
    cluster.install()
    refused = cluster.run(
        "install", "second", str(CHART), "-n", "kube-system", *flags, values=values, check=False
    )
    assert refused.returncode != 0
    assert "The release is second in namespace kube-system, and release test" in refused.stderr
    assert "Deployment default/test-spidercoordinator-operator" in refused.stderr
    assert "helm upgrade test -n default, or helm uninstall test -n default first" in refused.stderr
    second = "--selector=app.kubernetes.io/instance=second"
    assert cluster.names(MADE, "--all-namespaces", second) == []


def test_one_that_moves_to_another_namespace_or_name_is_the_same_release(cluster: Helm) -> None:
    cluster.install()
    cluster.install(nested("namespaceOverride", "kube-system"))
    cluster.install(nested("fullnameOverride", "renamed"))
    assert cluster.get("deployment", "renamed-operator")


def test_an_operator_that_no_helm_release_made_is_told_by_its_labels(cluster: Helm) -> None:
    """As GitOps tools make it, which apply what `helm template` renders."""
    cluster.install()
    marks = ("meta.helm.sh/release-name-", "meta.helm.sh/release-namespace-")
    operator = ("deployment", "test-spidercoordinator-operator")
    cluster.kubectl("annotate", *operator, *marks)
    command = ("install", str(CHART), "--dry-run=server", "-n")
    refused = cluster.run(*command, "default", "--name-template=second", check=False)
    assert "release test in namespace default runs Deployment default/" in refused.stderr
    taken = cluster.run(
        *command, "default", "--name-template=test", "--take-ownership", check=False
    )
    assert "runs Deployment" not in taken.stderr
