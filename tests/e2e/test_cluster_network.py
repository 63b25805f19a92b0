"""What differs by the cluster network: where its range is told, and what its rules drop."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses
from typing import Any, NoReturn

import pytest

from testbed import cluster as testbed_cluster
from testbed import cni, topology
from testbed.demo.parse import answer
from testbed.paths import State
from tests.e2e import manifests
from tests.e2e.cluster import COORDINATORS, Cluster, Object, Release, eventually
from tests.e2e.conftest import MakeNetwork, MakePod, upgrade, wait_ready
from tests.e2e.manifests import APP_PORT, NAMESPACE
from tests.e2e.test_doctor import OPERATOR, examine

KUBEADM = ("configmap", "kubeadm-config", "kube-system")
OF_WHOLE = {cni.FLANNEL: "flannel's net-conf.json", cni.CALICO: "Calico IPPools"}
OF_NODES, LAST_KNOWN = "node.spec.podCIDRs", "last known, "
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
    if source := OF_WHOLE.get(made.network):
        return Network(source, [str(topology.POD_CIDR)])
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
    """flannel's ConfigMap tells it, or Calico's pools; else what was known before stays."""
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


@pytest.fixture
def elsewhere(
    cluster: Cluster, made: testbed_cluster.Cluster, node: str, namespace: None
) -> Iterator[Object]:
    """A pod of the cluster network on another node than the other pods, behind a Service."""
    del namespace
    others = [each.name for each in made.nodes if each.name != node]
    if not others:
        pytest.fail("pods of two nodes need two: `make down`, then TESTBED_NODES=2 and `make up`")
    cluster.apply(manifests.pod("elsewhere", others[0], {}))
    cluster.apply(manifests.service("elsewhere"))
    wait_ready(cluster, "elsewhere")
    yield cluster.get("pod", "elsewhere", NAMESPACE) or {}
    cluster.delete("pod,service", "elsewhere", NAMESPACE)


def test_an_underlay_pod_and_a_pod_of_another_node(
    cluster: Cluster,
    made: testbed_cluster.Cluster,
    elsewhere: Object,
    network: MakeNetwork,
    pod: MakePod,
) -> None:
    """kube-router's firewall drops what is asymmetric, flannel's rules accept all of its range.

    Replies come by the segment, so that the underlay pod's own node sees one direction.
    """
    pod("far-asking", network("far-asking"))
    service = cluster.get("service", "elsewhere", NAMESPACE) or {}

    def ask(address: str) -> bool:
        command = f"timeout 3 fetch http://{address}/"
        return bool(answer(cluster.execute("far-asking", command, NAMESPACE).output))

    eventually("it is reached by its Service", lambda: ask(service["spec"]["clusterIP"]))
    if made.network in {cni.BRIDGE, cni.CALICO}:
        return  # kube-proxy's mode decides there
    address, works = f"{elsewhere['status']['podIP']}:{APP_PORT}", made.network == cni.FLANNEL
    # kube-router's rules for a pod come some moments after the pod.
    eventually(f"it is reached by its address: {works}", lambda: ask(address) == works)


def test_the_doctor_names_the_firewall_of_kube_router(
    cluster: Cluster, synced: Release, made: testbed_cluster.Cluster
) -> None:
    del synced
    result = examine(cluster, "deployment", OPERATOR, "spidercoordinator doctor")
    named = "WARNING  DaemonSet kube-system/kube-router: its firewall drops" in result.output
    assert named == (made.network == cni.KUBE_ROUTER), result.output
