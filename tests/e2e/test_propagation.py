"""What a change of the SpiderCoordinator does to pods that start after it."""

from collections.abc import Callable, Iterator

import pytest

from tests.e2e import manifests
from tests.e2e.cluster import COORDINATORS, Cluster, Object, Release, eventually
from tests.e2e.conftest import MakeNetwork, MakePod, wait_ready
from tests.e2e.manifests import NAMESPACE

ABSENT = ("calico", "cilium")
"""CNI plugins whose pools a cluster may lack."""


@pytest.fixture
def change(cluster: Cluster, synced: Release) -> Iterator[Callable[[Object], None]]:
    """Change the SpiderCoordinator's spec; what was changed is as before afterwards."""
    del synced
    before: Object = (cluster.get(COORDINATORS, "default") or {})["spec"]
    changed: Object = {}

    def apply(spec: Object) -> None:
        changed.update({key: before.get(key) for key in spec})
        result = cluster.patch(COORDINATORS, "default", {"spec": spec})
        assert result.ok, result.output

    yield apply
    cluster.patch(COORDINATORS, "default", {"spec": changed})
    eventually("SpiderCoordinator default is Synced again", lambda: _phase(cluster) == "Synced")


def _status(cluster: Cluster) -> Object:
    found: Object = (cluster.get(COORDINATORS, "default") or {}).get("status", {})
    return found


def _phase(cluster: Cluster) -> str:
    return str(_status(cluster).get("phase", ""))


def _complaints(cluster: Cluster, pod: str) -> str:
    text = f"kubectl get events -n {NAMESPACE} --field-selector=involvedObject.name={pod}"
    return cluster.shell.output(f"{text} -o jsonpath='{{.items[*].message}}'")


def test_pods_are_told_why_and_start_once_it_is_mended(
    cluster: Cluster, network: MakeNetwork, change: Callable[[Object], None], node: str
) -> None:
    before = _status(cluster)
    absent = next(each for each in ABSENT if each != before["podCIDRType"])
    first = network("waiting")
    change({"podCIDRType": absent})
    eventually("it is not ready", lambda: _phase(cluster) == "NotReady")
    reason = _status(cluster)["reason"]
    eventually(
        "the network carries the reason",
        lambda: "notReadyReason" in (cluster.config("waiting", NAMESPACE) or ""),
    )
    cluster.apply(manifests.pod("waiting", node, {manifests.FIRST_INTERFACE: first}))
    try:
        told = f"spidercoordinator default is not ready: {reason}"
        eventually("the pod's event tells why", lambda: told in _complaints(cluster, "waiting"), 30)
        change({"podCIDRType": "auto"})
        wait_ready(cluster, "waiting")
    finally:
        cluster.delete("pod", "waiting", NAMESPACE)
    after = _status(cluster)
    for cidrs in ("overlayPodCIDR", "serviceCIDR"):
        assert after[cidrs] == before[cidrs]


def test_next_pod_is_in_the_new_table(
    cluster: Cluster,
    network: MakeNetwork,
    pod: MakePod,
    node_shell: str,
    change: Callable[[Object], None],
) -> None:
    table = 617
    first = network("tabled")
    change({"hostRuleTable": table})
    eventually(
        "the network carries the table",
        lambda: f'"hostRuleTable":{table}' in (cluster.config("tabled", NAMESPACE) or ""),
    )
    address = pod("tabled", first)["status"]["podIP"]
    rules = cluster.execute(node_shell, "ip rule", NAMESPACE).output
    routes = cluster.execute(node_shell, f"ip route show table {table}", NAMESPACE).output
    assert f"lookup {table}" in rules
    assert [route for route in routes.splitlines() if route.startswith(f"{address} dev veth")]
