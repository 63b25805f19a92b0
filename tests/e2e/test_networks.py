"""SpiderMultusConfig: the NetworkAttachmentDefinition it becomes, and that it stays so."""

import json
from collections.abc import Callable

from testbed.demo.parse import coordinator_section, veth_link_address
from tests.e2e.cluster import ATTACHMENTS, COORDINATORS, NETWORKS, Cluster, Object, eventually
from tests.e2e.conftest import MakeNetwork
from tests.e2e.manifests import MASTER, NAMESPACE

SetAddress = Callable[[str], None]


def _attachment(cluster: Cluster, name: str) -> Object:
    found = cluster.get(ATTACHMENTS, name, NAMESPACE)
    assert found is not None
    return found


def _wait_for_address(cluster: Cluster, name: str, address: str) -> None:
    eventually(
        f"network {name} has vethLinkAddress {address!r}",
        lambda: veth_link_address(cluster.config(name, NAMESPACE) or "") == address,
    )


def test_macvlan_becomes_plugins_with_all_that_a_node_needs(
    cluster: Cluster, network: MakeNetwork
) -> None:
    network("plain", annotations={}, coordinator={"vethLinkAddress": "169.254.100.9"})
    config = json.loads(_attachment(cluster, "plain")["spec"]["config"])
    main, coordinator = config["plugins"]
    assert config["name"] == "plain"
    assert (main["type"], main["master"], main["mode"]) == ("macvlan", MASTER, "bridge")
    default = cluster.get(COORDINATORS, "default") or {}
    assert coordinator["type"] == "coordinator"
    assert coordinator["vethLinkAddress"] == "169.254.100.9"
    for key in ("overlayPodCIDR", "serviceCIDR"):
        assert coordinator[key] == default["status"][key]
    for key in ("mode", "hijackCIDR", "hostRuleTable", "tunePodRoutes"):
        assert coordinator[key] == default["spec"][key]


def test_belongs_to_its_network(cluster: Cluster, network: MakeNetwork) -> None:
    network("owned")
    owner = cluster.get(NETWORKS, "owned", NAMESPACE) or {}
    [reference] = _attachment(cluster, "owned")["metadata"]["ownerReferences"]
    assert reference["uid"] == owner["metadata"]["uid"]
    assert (reference["kind"], reference["controller"]) == ("SpiderMultusConfig", True)


def test_status_says_ready(cluster: Cluster, network: MakeNetwork) -> None:
    network("ready")

    def look() -> bool:
        status = (cluster.get(NETWORKS, "ready", NAMESPACE) or {}).get("status", {})
        conditions = {each["type"]: each["status"] for each in status.get("conditions", [])}
        return conditions.get("Ready") == "True"

    eventually("SpiderMultusConfig ready is Ready", look)


def test_spec_is_left_as_the_user_wrote_it(cluster: Cluster, network: MakeNetwork) -> None:
    network("untouched", coordinator={"vethLinkAddress": "169.254.100.9"})
    spec = (cluster.get(NETWORKS, "untouched", NAMESPACE) or {})["spec"]
    assert spec["coordinator"] == {"vethLinkAddress": "169.254.100.9"}


def test_own_address_goes_before_the_clusters(
    cluster: Cluster, network: MakeNetwork, cluster_address: SetAddress
) -> None:
    cluster_address("169.254.100.7")
    network("inheriting")
    network("own", coordinator={"vethLinkAddress": "169.254.100.8"})
    _wait_for_address(cluster, "inheriting", "169.254.100.7")
    _wait_for_address(cluster, "own", "169.254.100.8")


def test_patched_cluster_reaches_the_network(
    cluster: Cluster, network: MakeNetwork, cluster_address: SetAddress
) -> None:
    cluster_address("")
    network("following")
    _wait_for_address(cluster, "following", "")
    cluster_address("169.254.100.7")
    _wait_for_address(cluster, "following", "169.254.100.7")
    cluster_address("")
    _wait_for_address(cluster, "following", "")


def test_patched_network_is_rendered_again(cluster: Cluster, network: MakeNetwork) -> None:
    network("changing")
    body = {"spec": {"coordinator": {"vethLinkAddress": "fe80::9"}}}
    assert cluster.patch(NETWORKS, "changing", body, NAMESPACE).ok
    _wait_for_address(cluster, "changing", "fe80::9")


def test_edited_by_hand_it_comes_back(cluster: Cluster, network: MakeNetwork) -> None:
    network("edited")
    wanted = cluster.config("edited", NAMESPACE)
    body = {"spec": {"config": '{"cniVersion":"0.3.1","name":"edited","plugins":[]}'}}
    assert cluster.patch(ATTACHMENTS, "edited", body, NAMESPACE).ok
    eventually("the edit is undone", lambda: cluster.config("edited", NAMESPACE) == wanted)


def test_deleted_by_hand_it_comes_back(cluster: Cluster, network: MakeNetwork) -> None:
    network("deleted")
    before = _attachment(cluster, "deleted")
    cluster.shell.output(f"kubectl delete {ATTACHMENTS} deleted -n {NAMESPACE} --wait=false")

    def another() -> Object | None:
        found = cluster.get(ATTACHMENTS, "deleted", NAMESPACE)
        return found if found and found["metadata"]["uid"] != before["metadata"]["uid"] else None

    after = eventually("it is made anew", another)
    assert coordinator_section(after["spec"]["config"])
    assert after["spec"] == before["spec"]


def test_goes_with_its_network(cluster: Cluster, network: MakeNetwork) -> None:
    network("leaving")
    cluster.delete(NETWORKS, "leaving", NAMESPACE)
    eventually("it is gone", lambda: cluster.config("leaving", NAMESPACE) is None)


def test_address_that_is_none_is_refused(cluster: Cluster, network: MakeNetwork) -> None:
    network("refusing")
    body = {"spec": {"coordinator": {"vethLinkAddress": "169.254.100.256"}}}
    result = cluster.patch(NETWORKS, "refusing", body, NAMESPACE)
    assert not result.ok
    assert "spec.coordinator.vethLinkAddress" in result.output
    assert "169.254.100.256" in result.output
