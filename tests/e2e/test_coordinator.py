"""SpiderCoordinator: what it finds out about the cluster, and what it refuses."""

import re
from collections.abc import Callable
from typing import NoReturn

import pytest
import yaml

from tests.e2e.cluster import COORDINATORS, Cluster, Object, Release, eventually
from tests.e2e.conftest import upgrade

FINALIZER = "spiderpool.spidernet.io"


@pytest.fixture
def default(cluster: Cluster, synced: Release) -> Object:
    del synced
    found = cluster.get(COORDINATORS, "default")
    assert found is not None
    return found


def kubeadm_networking(cluster: Cluster) -> Object | None:
    """Return the networking section of kubeadm's ConfigMap; None on a cluster without one."""
    kubeadm = cluster.get("configmap", "kubeadm-config", "kube-system")
    if kubeadm is None:
        return None
    networking: Object = yaml.safe_load(kubeadm["data"]["ClusterConfiguration"])["networking"]
    return networking


def test_service_cidr_is_the_clusters(
    cluster: Cluster, default: Object, unable: Callable[[str], NoReturn]
) -> None:
    known = cluster.shell.run("kubectl get servicecidrs -o jsonpath='{.items[*].spec.cidrs[*]}'")
    networking = kubeadm_networking(cluster)
    if known.ok:
        expected = known.output.split()
    elif networking is not None:
        # Before 1.33 the API server does not serve ServiceCIDRs unless it is told to.
        expected = networking["serviceSubnet"].split(",")
    else:
        unable("it has neither a ServiceCIDR API nor a kubeadm-config to compare with")
    assert sorted(default["status"]["serviceCIDR"]) == sorted(expected)


def test_pod_cidr_is_the_clusters(
    cluster: Cluster, default: Object, unable: Callable[[str], NoReturn]
) -> None:
    networking, kind = kubeadm_networking(cluster), default["status"]["podCIDRType"]
    if kind == "calico":
        told = [each["spec"]["cidr"] for each in cluster.items("ippools.crd.projectcalico.org")]
    elif kind == "cluster" and networking is not None:
        told = networking["podSubnet"].split(",")
    else:
        unable("it has neither pools of Calico nor a kubeadm-config that tells the pod CIDRs")
    assert sorted(default["status"]["overlayPodCIDR"]) == sorted(told)


def test_status_is_of_this_generation(default: Object) -> None:
    assert default["metadata"]["finalizers"] == [FINALIZER]
    assert default["status"]["observedGeneration"] == default["metadata"]["generation"]
    ready = {each["type"]: each["status"] for each in default["status"]["conditions"]}["Ready"]
    assert ready == "True"


@pytest.mark.parametrize("address", ["169.254.100.256", "169.254.100.1/32", "veth", "1.2.3"])
def test_address_that_is_none_is_refused(cluster: Cluster, default: Object, address: str) -> None:
    result = cluster.patch(COORDINATORS, "default", {"spec": {"vethLinkAddress": address}})
    assert not result.ok
    assert "spec.vethLinkAddress" in result.output
    assert re.search(rf'"{re.escape(address)}"', result.output)
    after = cluster.get(COORDINATORS, "default")
    assert after is not None
    assert after["spec"] == default["spec"]


def test_helm_upgrade_changes_it(cluster: Cluster, reinstalled: Release) -> None:
    upgrade(cluster, reinstalled, "--set coordinator.vethLinkAddress=169.254.100.77")
    found = cluster.get(COORDINATORS, "default")
    assert found is not None
    assert found["spec"]["vethLinkAddress"] == "169.254.100.77"


def test_deletion_completes_and_helm_brings_it_back(cluster: Cluster, reinstalled: Release) -> None:
    cluster.delete(COORDINATORS, "default")
    assert cluster.get(COORDINATORS, "default") is None
    upgrade(cluster, reinstalled, "")

    def again() -> bool:
        status = (cluster.get(COORDINATORS, "default") or {}).get("status", {})
        return bool(status.get("phase") == "Synced")

    eventually("SpiderCoordinator default is Synced again", again, 30)
