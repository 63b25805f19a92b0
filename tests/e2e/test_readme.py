"""README followed as a new user does, on two nodes with whereabouts."""

import json
import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml

from testbed import images
from testbed.paths import PROJECT
from tests.e2e import manifests
from tests.e2e.cluster import Cluster, Object, Release, eventually
from tests.e2e.conftest import install
from tests.e2e.manifests import FIRST_INTERFACE, FURTHER_INTERFACES
from tests.e2e.readme import POOLS, SYSTEM, Guide, Installation, commands, shown, typed

# The product goes, and comes again as README has it.
pytestmark = pytest.mark.last

CONFIG = "whereabouts-config"
NETWORK = "kube-system/macvlan-conf"
POD = "macvlan-app"
OTHER = "macvlan-other"
FURTHER = ("further-1", "further-2")


def run_pod(cluster: Cluster, name: str, node: str, **annotations: str) -> None:
    given = manifests.pod(name, node, {key.replace("__", "/"): v for key, v in annotations.items()})
    given["metadata"]["namespace"] = "default"
    cluster.apply(given)


def wait_ready(cluster: Cluster, *names: str) -> None:
    command = f"kubectl wait pod {' '.join(names)} -n default --for=condition=Ready --timeout=90s"
    result = cluster.shell.run(command)
    assert result.ok, result.output + cluster.shell.run("kubectl get events -n default").output


@pytest.fixture(scope="module")
def emptied(
    cluster: Cluster,
    synced: Release,
    unable: Callable[[str], NoReturn],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Path]:
    """A cluster without the product, with whereabouts as it ships; a folder for files.

    Afterwards the release is there again as it was.
    """
    if not cluster.shell.run(f"kubectl get crd {POOLS}").ok:
        unable("there is no whereabouts: TESTBED_NODES=2 TESTBED_IPAM=whereabouts make up")
    if len(cluster.items("nodes")) < 2:
        unable("there is one node alone: TESTBED_NODES=2 TESTBED_IPAM=whereabouts make up")
    folder = tmp_path_factory.mktemp("readme")
    before, shipped = folder / "before.yaml", cluster.get("configmap", CONFIG, SYSTEM)
    where = f"{synced.name} -n {synced.namespace}"
    before.write_text(cluster.shell.output(f"helm get values {where} -o yaml"))
    cluster.shell.output(f"helm uninstall {where} --wait --timeout 2m")
    cluster.delete("namespace", synced.namespace)
    yield folder
    cluster.delete("pod", " ".join((POD, OTHER, *FURTHER)))
    cluster.delete("spidermultusconfig", NETWORK.partition("/")[2], "kube-system")
    for each in json.loads(cluster.shell.output("helm list --all-namespaces -o json")):
        if each["chart"].startswith("spidercoordinator-"):
            name = f"{each['name']} -n {each['namespace']}"
            cluster.shell.output(f"helm uninstall {name} --wait --timeout 2m")
    cluster.patch("configmap", CONFIG, {"data": (shipped or {})["data"]}, SYSTEM)
    install(cluster, synced, before)


@pytest.fixture(scope="module")
def guide(cluster: Cluster, emptied: Path) -> Guide:
    """README's installation, typed."""
    readme, values = Installation.read(), emptied / "values.yaml"
    # As README says for who has no registry; `make up` has loaded the images under that name.
    values.write_text(readme.values.replace("registry.example.com", "localhost"))
    first, second = sorted(each["metadata"]["name"] for each in cluster.items("nodes"))[:2]
    made = Guide(cluster, readme.with_values(values), values, (first, second))
    reconciler = f"WARNING  ConfigMap {SYSTEM}/{CONFIG}: whereabouts' reconciler runs by"
    preflight = commands(made.readme.block(".venv/bin/spidercoordinator preflight"))[-1]
    assert reconciler in cluster.shell.output(preflight)
    made.type(f"kubectl patch configmap {CONFIG}")
    said = cluster.shell.output(preflight)
    assert "preflight: 0 errors" in said
    assert CONFIG not in said
    assert "whereabouts" not in said.replace("and `whereabouts`", "")
    made.type("helm install")
    made.type('MACVLAN_MASTER_INTERFACE="eth0"')
    return made


@pytest.fixture(scope="module")
def pods(guide: Guide) -> tuple[Object, Object]:
    """README's pod, and one like it on another node, both Ready."""
    block = guide.readme.block("  name: macvlan-app")
    assert "image: nginx" in block
    [given] = yaml.safe_load_all(
        block.partition("<<EOF | kubectl apply -f -\n")[2].removesuffix("EOF")
    )
    [container] = given["spec"]["containers"]
    # There is no registry to have nginx from.
    container |= {"image": images.BOX, "command": ["redirect-listener", "8080", "15006"]}
    for name, node in zip((POD, OTHER), guide.nodes, strict=True):
        given["metadata"]["name"], given["spec"]["nodeName"] = name, node
        given["spec"]["terminationGracePeriodSeconds"] = 0
        guide.cluster.apply(given)
    wait_ready(guide.cluster, POD, OTHER)
    found = [guide.cluster.get("pod", name) for name in (POD, OTHER)]
    return found[0] or {}, found[1] or {}


def address(pod: Object) -> str:
    return str(pod["status"]["podIP"])


def execute(guide: Guide, pod: str, command: str) -> str:
    return guide.cluster.shell.output(f"kubectl exec {pod} -n default -- {command}")


def test_the_picture_and_the_values_are_of_one_network(guide: Guide) -> None:
    subnet = ip_network(guide.ipam["range"])
    shown = re.search(r"eth0 +(\S+) +\(macvlan", guide.readme.text)
    gateway = re.search(r"underlay network, gateway (\S+)", guide.readme.text)
    assert shown is not None
    assert gateway is not None
    assert ip_interface(shown[1]).network == subnet
    first, last = (ip_address(guide.ipam[key]) for key in ("range_start", "range_end"))
    assert int(first) <= int(ip_interface(shown[1]).ip) <= int(last)
    assert guide.ipam["gateway"] == gateway[1]
    assert (
        f"pods\nget {first} to {last} of {subnet}, whose router is {gateway[1]}"
        in guide.readme.text
    )


def test_pods_of_two_nodes_have_addresses_of_one_range_and_reach_each_other(
    guide: Guide, pods: tuple[Object, Object]
) -> None:
    first, last = (int(ip_address(guide.ipam[key])) for key in ("range_start", "range_end"))
    addresses = [address(pod) for pod in pods]
    assert len(set(addresses)) == len(addresses)
    assert all(first <= int(ip_address(each)) <= last for each in addresses)
    assert [pod["spec"]["nodeName"] for pod in pods] == list(guide.nodes)
    assert guide.holders() == sorted((POD, OTHER))
    for own, other in ((POD, addresses[1]), (OTHER, addresses[0])):
        routes = execute(guide, own, "ip route")
        assert f"default via {guide.ipam['gateway']} dev eth0" in routes
        assert execute(guide, own, f"ping -c 1 -w 5 {other}")
        assert execute(guide, own, f"ping -c 1 -w 5 {guide.ipam['gateway']}")
        assert "answered-by 8080" in execute(guide, own, f"fetch http://{other}:8080/")


def test_what_one_looks_at_then_is_well(guide: Guide, pods: tuple[Object, Object]) -> None:
    del pods
    objects, described, trie, coordinator, explained = guide.type("kubectl get scc,smc -A")
    assert re.search(
        r"spidermultusconfig\S+/macvlan-conf +macvlan +macvlan-conf +True +InSync", objects
    )
    assert re.search(rf"^Name: +{POD}$", described, re.MULTILINE)
    assert "169.254.100.1" in trie
    assert "phase: Synced" in coordinator
    assert "vethLinkAddress" in explained
    for said in guide.type("kubectl exec -n spiderpool deployment/"):
        assert "doctor: " in said
        told = [line for line in said.splitlines() if line.startswith(("ERROR", "WARNING"))]
        # Networks of other tests may be there, and say what they like; so may the cluster's own.
        others = re.compile(r"SpiderMultusConfig|DaemonSet kube-system/kube-router")
        assert not [line for line in told if NETWORK in line or not others.search(line)]


@pytest.mark.parametrize("name", ["istio.md", "istio.zh.md"])
def test_the_istio_guide_is_typed_and_shows_what_it_says(
    guide: Guide, pods: tuple[Object, Object], name: str
) -> None:
    del pods
    document = PROJECT / "docs" / name
    install_it, patch, one_network = typed(document)
    # README's values file, which the guide says to add, sets the address as well.
    [with_values] = [
        each
        for each in commands(guide.readme.block("helm install"))
        if each.startswith("helm install")
    ]
    assert commands(install_it)[-1].startswith(with_values.partition(" -f ")[0])
    assert "patched" in guide.cluster.shell.output(patch)
    assert "macvlan-conf" in guide.cluster.shell.output(one_network)
    said = shown(document)
    columns = guide.cluster.shell.output("kubectl get spidercoordinators").splitlines()[0].split()
    assert said["kubectl get spidercoordinators"].splitlines()[0].split() == columns
    [look] = [each for each in said if each.startswith("kubectl get spidercoordinators default ")]
    assert guide.cluster.shell.output(look) == said[look]
    [inside] = [each for each in said if each.startswith(f"kubectl exec {POD} ")]
    wanted = "inet 169.254.100.1/32 scope link veth0"
    assert wanted in said[inside]
    assert wanted in guide.cluster.shell.output(inside)


def test_pods_that_start_at_once_get_an_address_each(guide: Guide) -> None:
    names = [f"crowd-{number}" for number in range(6)]
    for number, name in enumerate(names):
        run_pod(guide.cluster, name, guide.nodes[number % 2], **{FIRST_INTERFACE: NETWORK})
    wait_ready(guide.cluster, *names)
    addresses = {address(guide.cluster.get("pod", name) or {}) for name in names}
    assert len(addresses) == len(names)
    guide.cluster.delete("pod", " ".join(names))
    eventually("their addresses are free", lambda: not {*names} & {*guide.holders()}, 30)


def test_the_controller_frees_what_a_pod_left_behind(guide: Guide) -> None:
    run_pod(guide.cluster, FURTHER[0], guide.nodes[1], **{FURTHER_INTERFACES: NETWORK})
    wait_ready(guide.cluster, FURTHER[0])
    # What remains of a sandbox that was not torn down: nobody calls DEL for it any more.
    left = {"id": "lost", "ifname": "net1", "podref": f"default/{FURTHER[0]}"}
    name = guide.ipam["range"].replace("/", "-")
    body = {"spec": {"allocations": {"4000": left}}}
    assert guide.cluster.patch(POOLS, name, body, SYSTEM).ok
    assert guide.holders().count(FURTHER[0]) == 2
    guide.cluster.delete("pod", FURTHER[0])
    eventually("both are free", lambda: FURTHER[0] not in guide.holders(), 30)


@pytest.fixture
def reconciler(guide: Guide) -> Iterator[Callable[[], None]]:
    """Have whereabouts' reconciler run now, as it does once a day by the schedule it ships with."""
    [daemon_set] = guide.cluster.items("daemonsets", f"-n {SYSTEM} -l app=whereabouts")
    spec: Any = daemon_set["spec"]["template"]["spec"]
    [container] = spec["containers"]
    name = "reconcile-now"
    [cron] = [each for each in spec["volumes"] if "configMap" in each]
    cron["configMap"] = {"name": name, "items": [{"key": "cron-expression", "path": "config"}]}
    container["command"], container["args"] = ["/ip-control-loop"], []
    meta = {"name": name, "namespace": SYSTEM}
    more = {"nodeName": guide.nodes[0], "terminationGracePeriodSeconds": 0}

    def start() -> None:
        data = {"cron-expression": "@every 1s"}
        guide.cluster.apply(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}
        )
        guide.cluster.apply(
            {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec | more}
        )
        logs = f"kubectl logs {name} -n {SYSTEM} --tail=-1"
        ran = "reconciler success"
        eventually("it ran", lambda: ran in guide.cluster.shell.run(logs).output, 60)

    yield start
    guide.cluster.delete("pod", name, SYSTEM)
    guide.cluster.delete("configmap", name, SYSTEM)


def test_without_the_patch_addresses_in_use_are_freed(
    guide: Guide, pods: tuple[Object, Object], reconciler: Callable[[], None]
) -> None:
    """Why README has it: if this fails with a newer whereabouts, its issue 638 is mended."""
    del pods
    run_pod(guide.cluster, FURTHER[1], guide.nodes[1], **{FURTHER_INTERFACES: NETWORK})
    wait_ready(guide.cluster, FURTHER[1])
    assert guide.holders() == sorted((POD, OTHER, FURTHER[1]))
    reconciler()
    assert guide.holders() == [FURTHER[1]]
