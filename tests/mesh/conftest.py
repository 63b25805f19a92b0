"""What the mesh tests share: a testbed of two nodes with Istio, and all pods at once.

`TESTBED_NODES=2 TESTBED_MESH=sidecar make up` makes the testbed. The pods are made side by side
and asked side by side, because each takes seconds to come, and what is lost takes seconds, too.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from testbed.cluster import Cluster as Testbed
from testbed.demo.shell import Result, Shell
from testbed.errors import TestbedError
from testbed.images import go_binary
from testbed.mesh import images, install
from testbed.mesh.install import Release
from testbed.paths import PROJECT, State
from tests.e2e.cluster import Cluster, Object, eventually
from tests.mesh import manifests
from tests.mesh.cells import ISTIO_CNI, NFTABLES, cells
from tests.mesh.manifests import ISTIO_CNI_REVISION, NAMESPACE, NFTABLES_REVISION
from tests.mesh.requests import SECONDS


def istio_cni(*, native_nftables: bool) -> Release:
    """Return istio-cni as docs/istio.md says, with ambient; what it programs holds for all pods."""
    settings: dict[str, object] = {
        "ambient.enabled": True,
        "global.nativeNftables": native_nftables,
        "provider": "multus",
        "chained": False,
        "cniConfDir": "/etc/cni/multus/net.d",
        "cniConfFileName": "istio-cni.conf",
    }
    return Release("istio-cni", "istio-cni", settings=settings)


RELEASES = (
    Release(
        "istiod",
        "istiod-nftables",
        settings={"revision": NFTABLES_REVISION, "global.nativeNftables": True},
    ),
    Release(
        "istiod",
        "istiod-istio-cni",
        settings={
            "revision": ISTIO_CNI_REVISION,
            "pilot.cni": {"enabled": True, "provider": "multus"},
        },
    ),
    istio_cni(native_nftables=False),
)
"""Beside the testbed's own: two more istiods, and istio-cni."""

_AGENTS = "daemonset/istio-cni-node"


@dataclass(frozen=True)
class Mesh:
    """The testbed with its mesh: where the applications run, and where nothing of theirs does."""

    testbed: Testbed
    cluster: Cluster
    home: str
    away: str

    def apply(self, *objects: Object) -> None:
        """Create or change objects; again, where the injector did not answer a busy API server."""
        manifest = {"apiVersion": "v1", "kind": "List", "items": list(objects)}

        def taken() -> bool:
            try:
                self.cluster.apply(manifest)
            except TestbedError as failed:
                if "context deadline exceeded" in str(failed):
                    return False
                raise
            return True

        eventually("the API server takes the objects", taken, 120)

    def pods(self) -> dict[str, Object]:
        """Return all pods of the tests by name."""
        found = self.cluster.items("pods", f"-n {NAMESPACE}")
        return {each["metadata"]["name"]: each for each in found}

    def wait_ready(self, *names: str, seconds: int = 150) -> None:
        """Wait until pods are Ready, all their containers."""
        waiting = f"--for=condition=Ready --timeout={seconds}s"
        result = self.cluster.shell.run(
            f"kubectl wait pod {' '.join(names)} -n {NAMESPACE} {waiting}"
        )
        if not result.ok:
            seen = self.cluster.shell.run(f"kubectl get pods -n {NAMESPACE} -o wide")
            events = self.cluster.shell.run(f"kubectl get events -n {NAMESPACE}")
            pytest.fail(f"{result.output}\n{seen.output}\n{events.output}")

    def execute(self, pod: str, script: str) -> str:
        """Run a shell script in a pod's application container."""
        return self.cluster.shell.output(
            f"kubectl exec -i {pod} -n {NAMESPACE} -c app -- sh -s <<'SCRIPT'\n{script}\nSCRIPT"
        )

    def fetch(self, origin: str, url: str, host: str = "") -> Result:
        """Make one request from a pod's application container."""
        options = f"-timeout {SECONDS}s" + (f" -host {host}" if host else "")
        return self.cluster.shell.run(
            f"kubectl exec {origin} -n {NAMESPACE} -c app -- fetch {options} {url}"
        )

    def wait_for_agents(self) -> None:
        """Wait for the node agents: helm does not, since all pods of theirs may be lost at once."""
        status = f"kubectl rollout status {_AGENTS} -n {install.NAMESPACE} --timeout=120s"
        self.cluster.shell.output(status)

    def program_nftables(self) -> None:
        """Have the node agents program native nftables in pods that start from now on."""
        install.release(self.testbed, images.ensure(), istio_cni(native_nftables=True))
        # They read it when they start.
        self.cluster.shell.output(f"kubectl rollout restart {_AGENTS} -n {install.NAMESPACE}")
        self.wait_for_agents()


@pytest.fixture(scope="session")
def mesh() -> Iterator[Mesh]:
    """The testbed with the further releases of Istio, and an empty namespace."""
    state = State.of_clone()
    try:
        testbed = Testbed.running(state)
    except TestbedError as absent:
        pytest.fail(f"{absent}, with TESTBED_NODES=2 TESTBED_MESH=sidecar")
    if len(testbed.nodes) < 2:
        pytest.fail(
            "the mesh tests need two nodes: `make down`, then TESTBED_NODES=2 and `make up`"
        )
    cluster = Cluster(Shell(state.kubeconfig, bins=(state.bin,), folder=PROJECT))
    if cluster.get("deployment", "istiod", "istio-system") is None:
        pytest.fail("the testbed has no mesh: TESTBED_MESH=sidecar make up")
    names = sorted(node.name for node in testbed.nodes)
    found = Mesh(testbed, cluster, home=names[-1], away=names[0])
    with ThreadPoolExecutor() as pool:
        list(pool.map(partial(install.release, testbed, images.ensure()), RELEASES))
    found.wait_for_agents()
    cluster.delete("namespace", NAMESPACE)
    found.apply(manifests.namespace())
    found.apply(*(manifests.account(name) for name in ("app", "client")))
    found.apply(*manifests.networks(), *manifests.strict())
    yield found
    cluster.delete("namespace", NAMESPACE)
    installed = " ".join(each.name for each in RELEASES)
    cluster.shell.output(f"helm uninstall {installed} -n {install.NAMESPACE} --wait")


@pytest.fixture(scope="session")
def applications(mesh: Mesh) -> dict[str, Object]:
    """All pods of the matrix by name: an application for every cell, and who asks them."""
    for network in manifests.networks():
        name = network["metadata"]["name"]
        eventually(f"network {name}", partial(mesh.cluster.config, name, NAMESPACE))
    by_nftables = [cell for cell in cells() if (cell.mode, cell.rules_by) == (NFTABLES, ISTIO_CNI)]
    by_iptables = [cell for cell in cells() if cell not in by_nftables]
    last = [manifests.application(cell, mesh.home) for cell in by_nftables]
    made = [
        *(manifests.application(cell, mesh.home) for cell in by_iptables),
        manifests.client("client", mesh.home),
        manifests.client("client-away", mesh.away),
        manifests.client("client-underlay", mesh.home, "underlay-set"),
        manifests.pod("bystander", mesh.home, "client"),
        manifests.node_shell("node-shell", mesh.home),
    ]
    named = [pod["metadata"]["name"] for pod in (*made, *last)]
    mesh.apply(*made, *(each for name in named for each in manifests.services(name)))
    mesh.wait_ready(*(cell.name for cell in by_iptables if cell.rules_by == ISTIO_CNI))
    mesh.program_nftables()
    mesh.apply(*last)
    mesh.wait_ready(*named)
    return mesh.pods()


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `fetch`, for requests of the underlay's router."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "fetch").symlink_to(go_binary("redirect-listener"))
    return folder


def net1(pod: Object) -> str:
    """Return the address of a pod's net1, from what Multus tells of its networks."""
    told = json.loads(pod["metadata"]["annotations"]["k8s.v1.cni.cncf.io/network-status"])
    [address] = [each["ips"][0] for each in told if each.get("interface") == "net1"]
    return str(address)
