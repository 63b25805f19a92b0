"""Options of a network that are seen in its pods, and when a change of them is."""

import json

from testbed.demo.parse import addresses
from tests.e2e.cluster import NETWORKS, Cluster, eventually
from tests.e2e.conftest import MakeNetwork, MakePod
from tests.e2e.manifests import NAMESPACE

CONNECTIONS = "net.core.somaxconn"


def _sysctl(cluster: Cluster, pod: str) -> str:
    path = CONNECTIONS.replace(".", "/")
    return cluster.execute(pod, f"cat /proc/sys/{path}", NAMESPACE).output.strip()


def _tuning(value: int) -> list[str]:
    return [json.dumps({"type": "tuning", "sysctl": {CONNECTIONS: str(value)}})]


def test_chained_tuning_and_mtu_are_seen_in_the_pod(
    cluster: Cluster, network: MakeNetwork, pod: MakePod
) -> None:
    macvlan = {"master": ["eth0"], "mtu": 1400}
    pod("tuned", network("tuned", macvlan=macvlan, chainCNIJsonData=_tuning(517)))
    assert _sysctl(cluster, "tuned") == "517"
    for link in ("eth0", "veth0"):
        shown = cluster.execute("tuned", f"ip link show {link}", NAMESPACE).output
        assert "mtu 1400" in shown, shown


def test_network_without_ipam_gives_a_bare_link(
    cluster: Cluster, network: MakeNetwork, pod: MakePod
) -> None:
    bare = network("bare", ipam=None, disableIPAM=True, enableCoordinator=False)
    pod("bare", further=bare)
    shown = cluster.execute("bare", "ip addr show net1", NAMESPACE).output
    assert "net1@" in shown
    assert not [found for found in addresses(shown) if ":" not in found]


def test_change_of_a_network_is_for_new_pods(
    cluster: Cluster, network: MakeNetwork, pod: MakePod
) -> None:
    name = network("changing", chainCNIJsonData=_tuning(511))
    pod("older", name)
    result = cluster.patch(
        NETWORKS, "changing", {"spec": {"chainCNIJsonData": _tuning(523)}}, NAMESPACE
    )
    assert result.ok, result.output
    eventually(
        "the change is rendered", lambda: "523" in (cluster.config("changing", NAMESPACE) or "")
    )
    pod("newer", name)
    assert _sysctl(cluster, "newer") == "523"
    assert _sysctl(cluster, "older") == "511"
