"""The range of the cluster network is found where the cluster network itself tells it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses
from typing import Any, NoReturn

import pytest

from testbed import cluster as testbed_cluster
from testbed import cni, topology
from testbed.paths import State
from tests.e2e.cluster import COORDINATORS, Cluster, Object, Release, eventually
from tests.e2e.conftest import upgrade

KUBEADM = ("configmap", "kubeadm-config", "kube-system")
OF_FLANNEL, OF_NODES, LAST_KNOWN = "flannel's net-conf.json", "node.spec.podCIDRs", "last known, "
_OF_THIS_CLUSTER = ("resourceVersion", "uid", "creationTimestamp", "managedFields")


@dataclass(frozen=True)
class Network:
    """What a cluster network itself tells.

    Attributes:
        whole: the name of what tells the whole range, empty where there is no such thing.
        cidrs: that, or what its plugins hand out on the nodes, by the files that its agents wrote.
    """

    whole: str
    cidrs: list[str]


@pytest.fixture
def made(
    state: State, on_testbed: bool, unable: Callable[[str], NoReturn]
) -> testbed_cluster.Cluster:
    if not on_testbed:
        unable("which cluster network it has, and with which settings, is known of the testbed")
    found = testbed_cluster.Cluster.recorded(state)
    assert found is not None
    return found


@pytest.fixture
def told(made: testbed_cluster.Cluster) -> Network:
    if made.network == cni.FLANNEL:
        return Network(OF_FLANNEL, [str(topology.POD_CIDR)])
    ranges = [_handed_out(made, node.name) for node in made.nodes]
    return Network("", [str(each) for each in collapse_addresses(map(IPv4Network, ranges))])


def _handed_out(made: testbed_cluster.Cluster, node: str) -> str:
    file = made.namespaces(node).path(str(made.cni_file))
    plugins: list[dict[str, Any]] = json.loads(file.read_text())["plugins"]
    [[only]] = plugins[0]["ipam"]["ranges"]
    return str(only["subnet"])


@pytest.fixture
def without_kubeadm(cluster: Cluster, told: Network) -> Iterator[None]:
    """The cluster without the ConfigMap that tells its ranges, as most are not made by kubeadm."""
    del told
    before = cluster.get(*KUBEADM)
    assert before is not None
    for key in _OF_THIS_CLUSTER:
        before["metadata"].pop(key, None)
    cluster.delete(*KUBEADM)
    yield
    cluster.apply(before)


def _synced_from(cluster: Cluster, source: str) -> Object:
    """Wait until a source is in use whose name begins so, and return the status."""

    def status() -> Object | None:
        found: Object = (cluster.get(COORDINATORS, "default") or {}).get("status", {})
        named = (found.get("sources") or {}).get("overlayPodCIDR") or ""
        return found if found.get("phase") == "Synced" and named.startswith(source) else None

    return eventually(f"the source is {source}", status, 60)


def test_the_range_without_kubeadm(
    cluster: Cluster, synced: Release, told: Network, without_kubeadm: None
) -> None:
    """Flannel's ConfigMap tells it; others have none, and what was known before stays."""
    del synced, without_kubeadm
    found = _synced_from(cluster, told.whole or LAST_KNOWN)
    assert found["overlayPodCIDR"] == [str(topology.POD_CIDR)]


def test_the_range_where_nothing_was_known_before(
    cluster: Cluster, reinstalled: Release, told: Network, without_kubeadm: None
) -> None:
    """Nodes tell what the plugins of kube-router and of the bridge hand out, and that it grows."""
    del without_kubeadm
    cluster.delete(COORDINATORS, "default")
    upgrade(cluster, reinstalled, "")
    found = _synced_from(cluster, told.whole or OF_NODES)
    assert found["overlayPodCIDR"] == told.cidrs
    reasons = {each["type"]: each["reason"] for each in found["conditions"]}
    assert (reasons["CIDRsDiscovered"] == "FollowsNodes") == (not told.whole)
