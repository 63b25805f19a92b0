"""Ambient: Istio's node agent enrols pods of ours, and hands them to what takes ztunnel's place.

The agent is the real one. ztunnel is in no registry, so `mesh-proxy node` speaks its protocol with
the agent and does with sockets what it does: it listens in the pods' network namespaces, keeps the
client's address, marks what it sends, and reaches other pods of the mesh by port 15008. Its
tunnel is no HBONE, and it knows no control plane: all of the networks' addresses are its mesh.
"""

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from testbed.images import go_binary
from testbed.mesh.install import NAMESPACE as ISTIO
from tests.e2e.cluster import Object, eventually
from tests.istio.cells import (
    BY_NODE_PORT,
    DROPPED,
    FROM_CLUSTER,
    FROM_NODE,
    FROM_OUTSIDE,
    FROM_UNDERLAY,
    TO_ITSELF,
    TO_NET1,
    TO_PEER,
    TO_SERVICE,
    WAYS,
)
from tests.istio.mesh import Answer
from tests.mesh import ambient, manifests
from tests.mesh.ambient import ENROLLED, PORT, ZTUNNEL
from tests.mesh.cells import ADDRESS, OVERLAY, UNDERLAY, Cell
from tests.mesh.conftest import Mesh, net1
from tests.mesh.manifests import NAMESPACE
from tests.mesh.requests import SECONDS

_REQUESTS = (
    *(FROM_NODE, TO_NET1, FROM_CLUSTER, FROM_UNDERLAY, FROM_OUTSIDE, BY_NODE_PORT),
    *(TO_SERVICE, TO_PEER, TO_ITSELF),
)
_CELLS = ambient.cells()
_KEYS = [
    (request, cell)
    for cell in _CELLS
    for request in _REQUESTS
    if cell.layout == OVERLAY or request != TO_NET1
]
CASES = [pytest.param(*key, id=f"{key[1].name} {key[0]}") for key in _KEYS]
_ROUTER = "router"
_PEER, _NEIGHBOUR, _BYSTANDER, _NODE = "ambient-peer", "neighbour", "plain", "ambient-node-shell"


@pytest.fixture(scope="module")
def enrolled(mesh: Mesh) -> Iterator[dict[str, Object]]:
    """All pods by name, once the agent told that those of the mesh are in it."""
    mesh.apply(ambient.ztunnel())
    members = [ambient.application(cell.name, cell.network, mesh.home) for cell in _CELLS]
    members.append(ambient.application(_PEER, "underlay-set", mesh.home))
    others = [
        ambient.plain(_NEIGHBOUR, mesh.home, "underlay-set"),
        ambient.plain(_BYSTANDER, mesh.home),
        manifests.node_shell(_NODE, mesh.home),
    ]
    names = [pod["metadata"]["name"] for pod in (*members, *others)]
    mesh.apply(*members, *others, *(each for name in names for each in manifests.services(name)))
    mesh.wait_ready(*names)
    wanted = {pod["metadata"]["name"] for pod in members}

    def told() -> set[str]:
        return {
            name
            for name, pod in mesh.pods().items()
            if pod["metadata"].get("annotations", {}).get(ENROLLED) == "enabled"
        }

    eventually("the agent enrols all", lambda: wanted <= told(), 60, lambda: f"but {told()}")
    assert told() == wanted
    yield mesh.pods()
    mesh.cluster.delete("pod", " ".join(names), NAMESPACE)
    mesh.cluster.delete("daemonset", ZTUNNEL, ISTIO)


def _target(
    mesh: Mesh, pods: dict[str, Object], services: dict[str, Object], request: str, cell: Cell
) -> tuple[str, str]:
    """Return who makes a request, and to where."""
    pod = pods[cell.name]
    own = f"{pod['status']['podIP']}:{PORT}"
    on_underlay = f"{net1(pod)}:{PORT}" if cell.layout == OVERLAY else own
    [home] = [node.address for node in mesh.testbed.nodes if node.name == mesh.home]
    node_port = services[f"{cell.name}-unknown"]["ports"][0]["nodePort"]
    return {
        FROM_NODE: (_NODE, own),
        TO_NET1: (_NODE, on_underlay),
        FROM_CLUSTER: (_BYSTANDER, own),
        FROM_UNDERLAY: (_NEIGHBOUR, on_underlay),
        FROM_OUTSIDE: (_ROUTER, on_underlay),
        BY_NODE_PORT: (_ROUTER, f"{home}:{node_port}"),
        TO_SERVICE: (cell.name, f"{services[_BYSTANDER]['clusterIP']}:80"),
        TO_PEER: (cell.name, f"{pods[_PEER]['status']['podIP']}:{PORT}"),
        TO_ITSELF: (cell.name, f"{services[cell.name]['clusterIP']}:80"),
    }[request]


def _ask(mesh: Mesh, origin: str, target: str) -> Answer:
    options = ["-timeout", f"{SECONDS}s", target]
    if origin == _ROUTER:
        command = mesh.testbed.gateway_command([str(go_binary("mesh-proxy")), "ask", *options])
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=os.environ)
        return Answer.read(done.stdout, done.stderr)
    output = mesh.execute(origin, f"mesh-proxy ask {' '.join(options)} 2>&1 || true")
    failed = output.startswith("mesh-proxy: ")
    return Answer.read("" if failed else output, output if failed else "")


@pytest.fixture(scope="module")
def answers(mesh: Mesh, enrolled: dict[str, Object]) -> dict[tuple[str, Cell], Answer]:
    """What became of each request, all made side by side."""
    services = {
        each["metadata"]["name"]: each["spec"]
        for each in mesh.cluster.items("services", f"-n {NAMESPACE}")
    }
    with ThreadPoolExecutor(max_workers=8) as pool:
        made = pool.map(lambda key: _ask(mesh, *_target(mesh, enrolled, services, *key)), _KEYS)
        return dict(zip(_KEYS, made, strict=True))


@pytest.mark.parametrize(("request_", "cell"), CASES)
def test_it_takes_the_way_of_the_table(
    answers: dict[tuple[str, Cell], Answer], request_: str, cell: Cell
) -> None:
    way = WAYS[request_]["ambient"]
    lost = way.endswith("*") and cell.lacks_address
    assert answers[request_, cell].way == (DROPPED if lost else way.removesuffix(" *"))


def test_probes_reach_pods_whose_other_traffic_is_lost(
    mesh: Mesh, answers: dict[tuple[str, Cell], Answer]
) -> None:
    [cell] = [each for each in _CELLS if each.lacks_address]
    assert answers[FROM_CLUSTER, cell].way == DROPPED
    # One probe a second was made while those requests hung, and one that fails shows at once.
    conditions = mesh.pods()[cell.name]["status"]["conditions"]
    [ready] = [each["status"] for each in conditions if each["type"] == "Ready"]
    assert ready == "True"


def test_the_application_sees_its_client(
    enrolled: dict[str, Object], answers: dict[tuple[str, Cell], Answer]
) -> None:
    client = enrolled[_BYSTANDER]["status"]["podIP"]
    seen = {c.address: answers[FROM_CLUSTER, c].peer for c in _CELLS if c.layout == UNDERLAY}
    assert seen == {ADDRESS: client, "": ""}
