"""Pods with several interfaces: which has the default route, and who is reached by which."""

import json
from typing import Any

import pytest

from testbed.demo.parse import answer
from tests.e2e.cluster import Cluster, Object
from tests.e2e.conftest import MakeNetwork, MakePod
from tests.e2e.manifests import APP_PORT, NAMESPACE

ELSEWHERE = "203.0.113.9"
"""An address of the documentation: whatever leads there is the default route."""


def addresses_of(pod: Object) -> dict[str, str]:
    """Return the first address of each interface that the network status names."""
    text = pod["metadata"]["annotations"]["k8s.v1.cni.cncf.io/network-status"]
    found: list[dict[str, Any]] = json.loads(text)
    return {each["interface"]: str(each["ips"][0]) for each in found}


def reaches(cluster: Cluster, pod: str, address: str) -> bool:
    """Say whether a pod gets the application's answer at an address."""
    result = cluster.execute(pod, f"fetch http://{address}:{APP_PORT}/", NAMESPACE)
    return result.ok and answer(result.output)["answered-by"] == str(APP_PORT)


def reaches_services(cluster: Cluster, pod: str) -> bool:
    """Say whether a pod reaches the API server by its ClusterIP."""
    kubernetes = cluster.get("service", "kubernetes") or {}
    url = f"https://{kubernetes['spec']['clusterIP']}:443/version"
    return "gitVersion" in cluster.execute(pod, f"fetch {url}", NAMESPACE).output


# A name that the pod chose can be known beforehand only from the record of the pod's networks.
@pytest.mark.parametrize("later", ["net1", "data0"])
def test_default_route_of_a_later_interface(
    cluster: Cluster, network: MakeNetwork, pod: MakePod, node_shell: str, later: str
) -> None:
    first = network("early", coordinator={"podDefaultRouteNIC": later})
    network("late", coordinator={"podDefaultRouteNIC": later})
    chosen = {"name": "late", "namespace": NAMESPACE}
    further = json.dumps([chosen if later == "net1" else chosen | {"interface": later}])
    name = f"leaning-{later}"
    own = addresses_of(pod(name, first, further))
    routes = cluster.execute(name, "ip route", NAMESPACE).output.splitlines()
    [default] = [route for route in routes if route.startswith("default")]
    assert f"dev {later}" in default
    assert f"dev {later}" in cluster.execute(name, f"ip route get {ELSEWHERE}", NAMESPACE).output
    assert reaches_services(cluster, name)
    for address in (own["eth0"], own[later]):
        assert reaches(cluster, node_shell, address), address


def test_macvlan_beside_the_cluster_network(
    cluster: Cluster, network: MakeNetwork, pod: MakePod, node_shell: str
) -> None:
    data = network("data")
    own = addresses_of(pod("mixed", further=data))
    links = cluster.execute("mixed", "ip -o link", NAMESPACE).output
    assert "net1@" in links
    assert "veth0" not in links, "the cluster network's eth0 is the way to the node"
    assert reaches_services(cluster, "mixed")
    pod("plain")
    pod("beside", data)
    for client in (node_shell, "plain", "beside"):
        for interface in ("eth0", "net1"):
            assert reaches(cluster, client, own[interface]), (client, interface)
    assert reaches(
        cluster, "mixed", addresses_of(cluster.get("pod", "beside", NAMESPACE) or {})["eth0"]
    )
