"""What the end-to-end tests share: one cluster, one release, networks and pods that go away.

The cluster is any that KUBECONFIG leads to, this clone's testbed by default. Elsewhere:

- the test box image must be on the nodes (`python -m testbed.images box` prints its archive),
- E2E_VALUES names the chart's values (registry, defaultIPAM), if it is not installed yet,
- E2E_IPAM may hold a CNI IPAM object as JSON for the tests' networks.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest
import yaml

from testbed import images
from testbed.demo.mesh import enter_network, program_rules
from testbed.demo.shell import Result, Shell
from testbed.errors import TestbedError
from testbed.paths import PROJECT, State
from tests.e2e import manifests
from tests.e2e.cluster import COORDINATORS, Cluster, Object, Release, eventually
from tests.e2e.manifests import NAMESPACE

CHART = PROJECT / "charts" / "spidercoordinator"
_TESTBED_VALUES = PROJECT / "testbed" / "manifests" / "values.yaml"
# Away from the chart's default range and from those of the demo.
_TESTBED_IPAM = {
    "type": "host-local",
    "ranges": [
        [
            {
                "subnet": "172.30.0.0/16",
                "rangeStart": "172.30.32.1",
                "rangeEnd": "172.30.39.254",
                "gateway": "172.30.0.1",
            }
        ]
    ],
    "routes": [{"dst": "0.0.0.0/0"}],
}

MakeNetwork = Callable[..., str]
MakePod = Callable[..., Object]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "last: takes the product away and must not disturb others")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.fixture(scope="session")
def state() -> State:
    return State.of_clone()


@pytest.fixture(scope="session")
def kubeconfig(state: State) -> Path:
    path = Path(os.environ.get("KUBECONFIG") or state.kubeconfig)
    if not path.exists():
        pytest.fail(f"no cluster: {path} is missing; run `make up`, or set KUBECONFIG")
    return path


@pytest.fixture(scope="session")
def on_testbed(state: State, kubeconfig: Path) -> bool:
    return kubeconfig.resolve() == state.kubeconfig.resolve()


@pytest.fixture(scope="session")
def unable(on_testbed: bool) -> Callable[[str], NoReturn]:
    """End a test that cannot run here: a failure on the testbed, where every one has to."""

    def end(reason: str) -> NoReturn:
        if on_testbed:
            pytest.fail(reason)
        pytest.skip(f"not on this cluster: {reason}; `make test` runs it on the testbed")

    return end


@pytest.fixture(scope="session")
def cluster(kubeconfig: Path, state: State) -> Cluster:
    return Cluster(Shell(kubeconfig, bins=(state.bin,), folder=PROJECT))


@pytest.fixture(scope="session")
def values(on_testbed: bool) -> Path:
    named = os.environ.get("E2E_VALUES") or (str(_TESTBED_VALUES) if on_testbed else "")
    if not named:
        pytest.fail("E2E_VALUES: name the file with the chart's values for this cluster")
    return Path(named).resolve()


@pytest.fixture(scope="session")
def release(cluster: Cluster, request: pytest.FixtureRequest) -> Release:
    """The installed chart, as it is found, or installed now, which needs the values."""
    for found in json.loads(cluster.shell.output("helm list --all-namespaces -o json")):
        if found["chart"].startswith(f"{CHART.name}-"):
            return Release(found["name"], found["namespace"])
    new = Release("spidercoordinator", "spiderpool")
    install(cluster, new, request.getfixturevalue("values"))
    return new


def install(cluster: Cluster, release: Release, values: Path) -> None:
    cluster.shell.output(
        f"helm install {release.name} {CHART} -n {release.namespace} --create-namespace "
        f"--values {values} --wait --timeout 2m"
    )


@pytest.fixture(scope="session")
def synced(cluster: Cluster, release: Release) -> Release:
    """The release, once its SpiderCoordinator knows the cluster."""

    def look() -> bool:
        found = cluster.get(COORDINATORS, "default") or {}
        held = found.get("metadata", {}).get("finalizers")
        return bool(held and found.get("status", {}).get("phase") == "Synced")

    eventually("SpiderCoordinator default is Synced", look, 60)
    return release


@pytest.fixture
def reinstalled(cluster: Cluster, synced: Release) -> Iterator[Release]:
    """The release, whose values are as before afterwards."""
    [before] = [
        revision["revision"]
        for revision in _history(cluster, synced)
        if revision["status"] == "deployed"
    ]
    yield synced
    name, namespace = synced.name, synced.namespace
    cluster.shell.output(f"helm rollback {name} {before} -n {namespace} --wait --timeout 2m")


def _history(cluster: Cluster, release: Release) -> list[Object]:
    text = f"helm history {release.name} -n {release.namespace} -o yaml"
    found: list[Object] = yaml.safe_load(cluster.shell.output(text))
    return found


def upgrade(cluster: Cluster, release: Release, setting: str) -> None:
    """Change the release by one more `--set`."""
    cluster.shell.output(
        f"helm upgrade {release.name} {CHART} -n {release.namespace} --reuse-values {setting}"
    )


@pytest.fixture(scope="session")
def node(cluster: Cluster) -> str:
    """The node on which all pods of the tests run."""
    names: list[str] = sorted(found["metadata"]["name"] for found in cluster.items("nodes"))
    return names[-1]


@pytest.fixture(scope="session")
def namespace(cluster: Cluster, synced: Release) -> Iterator[None]:
    """An empty namespace for the tests; `synced` first, so that it outlives all networks."""
    del synced
    cluster.delete("namespace", NAMESPACE)
    cluster.apply(manifests.namespace())
    yield
    cluster.delete("namespace", NAMESPACE)


@pytest.fixture(scope="session")
def ipam(on_testbed: bool) -> Object:
    """What the networks' specs say about addresses; nothing means the chart's defaultIPAM."""
    named = os.environ.get("E2E_IPAM")
    if named:
        return {"ipam": json.loads(named)}
    return {"ipam": _TESTBED_IPAM} if on_testbed else {}


@pytest.fixture(scope="session")
def node_shell(cluster: Cluster, node: str, namespace: None) -> str:
    """A pod in its node's network: its requests come from the node, it sees the node's links."""
    del namespace
    name = "node-shell"
    container = {"name": "shell", "image": images.BOX, "command": ["sleep", "2147483647"]}
    cluster.apply(manifests.pod(name, node, {}, {"hostNetwork": True, "containers": [container]}))
    wait_ready(cluster, name)
    return name


def wait_ready(cluster: Cluster, pod: str) -> None:
    result = cluster.shell.run(
        f"kubectl wait pod {pod} -n {NAMESPACE} --for=condition=Ready --timeout=60s"
    )
    if not result.ok:
        events = cluster.shell.run(
            f"kubectl get events -n {NAMESPACE} --field-selector=involvedObject.name={pod}"
        )
        pytest.fail(f"pod {pod} is not Ready:\n{result.output}\n{events.output}")


@pytest.fixture
def network(cluster: Cluster, ipam: Object, namespace: None) -> Iterator[MakeNetwork]:
    """Make a macvlan network and return NAMESPACE/NAME for a pod's annotation."""
    del namespace
    made: list[str] = []

    def make(name: str, annotations: dict[str, str] | None = None, **spec: object) -> str:
        made.append(name)
        cluster.apply(manifests.network(name, {**ipam, **spec}, annotations))
        eventually(f"network {name} is rendered", lambda: cluster.config(name, NAMESPACE))
        return f"{NAMESPACE}/{name}"

    yield make
    for name in made:
        cluster.delete("spidermultusconfig", name, NAMESPACE)


@pytest.fixture
def pod(cluster: Cluster, network: MakeNetwork, node: str) -> Iterator[MakePod]:
    """Make a pod, wait until it is Ready and return it; it goes before its network does."""
    del network
    made: list[str] = []

    def make(name: str, first: str = "", further: str = "") -> Object:
        made.append(name)
        networks = {manifests.FIRST_INTERFACE: first, manifests.FURTHER_INTERFACES: further}
        annotations = {key: value for key, value in networks.items() if value}
        cluster.apply(manifests.pod(name, node, annotations))
        wait_ready(cluster, name)
        return cluster.get("pod", name, NAMESPACE) or {}

    yield make
    if made:
        cluster.delete("pod", " ".join(made), NAMESPACE)


@pytest.fixture
def cluster_address(cluster: Cluster) -> Iterator[Callable[[str], None]]:
    """Set the cluster-wide address; the one from before comes back."""
    before = (cluster.get(COORDINATORS, "default") or {})["spec"].get("vethLinkAddress", "")
    yield cluster.set_address
    cluster.set_address(before)


@dataclass(frozen=True)
class Mesh:
    """Istio's rules for pods, and requests to them from their node."""

    cluster: Cluster
    node_shell: str
    unable: Callable[[str], NoReturn]

    def take_in(self, pod: str) -> None:
        """Program Istio's own sidecar rules in the pod's network namespace."""
        shell = self.cluster.shell
        try:
            prefix = enter_network(shell, pod, NAMESPACE)
        except TestbedError as unseen:
            self.unable(str(unseen))
        shell.output(program_rules(prefix, images.go_binary("istio-iptables")))

    def ask(self, pod: Object) -> Result:
        """Ask the pod's application from its node."""
        url = f"http://{pod['status']['podIP']}:{manifests.APP_PORT}/"
        return self.cluster.execute(self.node_shell, f"fetch {url}", NAMESPACE)


@pytest.fixture
def mesh(cluster: Cluster, node_shell: str, unable: Callable[[str], NoReturn]) -> Mesh:
    return Mesh(cluster, node_shell, unable)
