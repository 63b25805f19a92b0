"""A pod whose first interface is macvlan: veth0, and who reaches whom through it."""

import json
import re

import pytest

from testbed.demo.parse import addresses, answer
from tests.e2e import manifests
from tests.e2e.cluster import Cluster, Object, eventually
from tests.e2e.conftest import MakeNetwork, MakePod
from tests.e2e.manifests import APP_PORT, NAMESPACE


@pytest.fixture
def underlay(network: MakeNetwork, pod: MakePod) -> Object:
    """A Ready pod of a macvlan network: that it is Ready means that kubelet's probe came in."""
    name = network("underlay", coordinator={"vethLinkAddress": "169.254.100.1"})
    return pod("underlay", name)


def _fetch(cluster: Cluster, pod: str, url: str) -> str:
    result = cluster.execute(pod, f"fetch {url}", NAMESPACE)
    assert result.ok, result.output
    return result.output


def _address(pod: Object) -> str:
    return str(pod["status"]["podIP"])


def test_veth0_has_the_networks_address(cluster: Cluster, underlay: Object) -> None:
    del underlay
    shown = cluster.shell.output(f"kubectl exec -it underlay -n {NAMESPACE} -- ip addr show veth0")
    assert "169.254.100.1" in addresses(shown)


def test_network_status_names_the_network(underlay: Object) -> None:
    text = underlay["metadata"]["annotations"]["k8s.v1.cni.cncf.io/network-status"]
    [first] = [each for each in json.loads(text) if each.get("default")]
    assert first["name"] == f"{NAMESPACE}/underlay"
    assert first["interface"] == "eth0"
    assert first["ips"] == [_address(underlay)]


def test_kubelets_probe_reaches_it(cluster: Cluster, underlay: Object) -> None:
    ready = {each["type"]: each["status"] for each in underlay["status"]["conditions"]}["Ready"]
    log = cluster.shell.output(f"kubectl logs underlay -n {NAMESPACE}")
    assert ready == "True"
    assert f"on port {APP_PORT}" in log


def test_node_reaches_it(cluster: Cluster, underlay: Object, node_shell: str) -> None:
    output = _fetch(cluster, node_shell, f"http://{_address(underlay)}:{APP_PORT}/")
    assert answer(output)["answered-by"] == str(APP_PORT)


def test_it_reaches_its_node(cluster: Cluster, underlay: Object) -> None:
    node = underlay["status"]["hostIP"]
    result = cluster.execute("underlay", f"fetch https://{node}:10250/pods", NAMESPACE)
    # The kubelet answers, and wants to know who asks.
    assert re.search(r": 40[13] ", result.output), result.output


def test_it_reaches_the_api_server_by_its_cluster_ip(cluster: Cluster, underlay: Object) -> None:
    del underlay
    kubernetes = cluster.get("service", "kubernetes") or {}
    url = f"https://{kubernetes['spec']['clusterIP']}:443/version"
    assert "gitVersion" in _fetch(cluster, "underlay", url)


def test_it_reaches_a_service_of_overlay_pods(
    cluster: Cluster, underlay: Object, pod: MakePod
) -> None:
    del underlay
    backend = pod("backend")
    cluster.apply(manifests.service("backend"))
    service = cluster.get("service", "backend", NAMESPACE) or {}
    seen = eventually(
        "the Service answers",
        lambda: answer(
            cluster.execute(
                "underlay", f"fetch http://{service['spec']['clusterIP']}/", NAMESPACE
            ).output
        ),
    )
    assert seen["original-destination"] == f"{_address(backend)}:{APP_PORT}"


def test_overlay_pods_reach_its_service(cluster: Cluster, underlay: Object, pod: MakePod) -> None:
    pod("client")
    cluster.apply(manifests.service("underlay"))
    service = cluster.get("service", "underlay", NAMESPACE) or {}
    seen = eventually(
        "the Service answers",
        lambda: answer(
            cluster.execute(
                "client", f"fetch http://{service['spec']['clusterIP']}/", NAMESPACE
            ).output
        ),
    )
    assert seen["original-destination"] == f"{_address(underlay)}:{APP_PORT}"


def test_two_pods_of_a_network_reach_each_other(
    cluster: Cluster, underlay: Object, pod: MakePod
) -> None:
    pod("neighbour", f"{NAMESPACE}/underlay")
    output = _fetch(cluster, "neighbour", f"http://{_address(underlay)}:{APP_PORT}/")
    assert answer(output)["answered-by"] == str(APP_PORT)


def _node_traces(cluster: Cluster, node_shell: str, address: str) -> dict[str, str]:
    """Return what the node has of pods: links, the routes to one address, rules."""
    commands = {
        "links": "ip -o link",
        "routes": "ip route show table 500",
        "rules": "ip rule",
    }
    seen = {
        name: cluster.execute(node_shell, command, NAMESPACE).output
        for name, command in commands.items()
    }
    # Link names only: counters and flags change by themselves.
    seen["links"] = "\n".join(sorted(re.findall(r"^\d+: (\S+?)[@:]", seen["links"], re.MULTILINE)))
    seen["routes"] = "\n".join(line for line in seen["routes"].splitlines() if address in line)
    return seen


def test_deleted_pod_leaves_nothing_on_its_node(
    cluster: Cluster, network: MakeNetwork, pod: MakePod, node_shell: str
) -> None:
    name = network("passing")
    pod("resident", name)
    before = _node_traces(cluster, node_shell, "none")
    address = _address(pod("passing", name))
    during = _node_traces(cluster, node_shell, address)
    # Those of another test's pod may go meanwhile.
    known = set(before["links"].split())
    assert len(set(during["links"].split()) - known) == 1
    assert address in during["routes"]
    cluster.delete("pod", "passing", NAMESPACE)

    def gone() -> bool:
        left = _node_traces(cluster, node_shell, address)
        links = set(left.pop("links").split())
        return links <= known and left == {"routes": "", "rules": before["rules"]}

    eventually("links, routes and rules are as before", gone, 30)


def test_further_interface_in_json_form(
    cluster: Cluster, network: MakeNetwork, pod: MakePod
) -> None:
    network("data")
    chosen = [{"name": "data", "namespace": NAMESPACE, "interface": "data0"}]
    made = pod("two-legged", further=json.dumps(chosen))
    text = made["metadata"]["annotations"]["k8s.v1.cni.cncf.io/network-status"]
    by_interface = {each["interface"]: each for each in json.loads(text)}
    assert by_interface["data0"]["name"] == f"{NAMESPACE}/data"
    shown = cluster.execute("two-legged", "ip addr show data0", NAMESPACE).output
    assert by_interface["data0"]["ips"][0] in addresses(shown)
