"""The range of the cluster network is found where the cluster network itself tells it."""

from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest

from testbed import cluster as testbed_cluster
from testbed import topology
from testbed.paths import State
from tests.e2e.cluster import COORDINATORS, Cluster, Object, Release, eventually

KUBEADM = ("configmap", "kubeadm-config", "kube-system")
_OF_THIS_CLUSTER = ("resourceVersion", "uid", "creationTimestamp", "managedFields")


@pytest.fixture
def with_flannel(state: State, on_testbed: bool, unable: Callable[[str], NoReturn]) -> bool:
    if not on_testbed:
        unable("kubeadm's ConfigMap is taken away for a while")
    made = testbed_cluster.Cluster.recorded(state)
    assert made is not None
    return made.flannel


@pytest.fixture
def without_kubeadm(cluster: Cluster, with_flannel: bool) -> Iterator[None]:
    """The cluster without the ConfigMap that tells its ranges, as most are not made by kubeadm."""
    del with_flannel
    before = cluster.get(*KUBEADM)
    assert before is not None
    for key in _OF_THIS_CLUSTER:
        before["metadata"].pop(key, None)
    cluster.delete(*KUBEADM)
    yield
    cluster.apply(before)


def test_the_range_without_kubeadm(
    cluster: Cluster, synced: Release, with_flannel: bool, without_kubeadm: None
) -> None:
    """flannel's ConfigMap tells it; the bridge has none, and what was known before stays."""
    del synced, without_kubeadm
    told_by = "flannel's net-conf.json" if with_flannel else "last known, from "

    def status() -> Object | None:
        found: Object = (cluster.get(COORDINATORS, "default") or {})["status"]
        return found if found["sources"]["overlayPodCIDR"].startswith(told_by) else None

    found = eventually(f"the source is {told_by}", status, 60)
    assert found["overlayPodCIDR"] == [str(topology.POD_CIDR)]
    assert found["phase"] == "Synced"
