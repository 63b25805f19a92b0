"""Every row of docs/istio.md's table, for each mode, layout and address: exactly the stars fail.

The applications are made once and asked once, all side by side; a test looks at one answer.
"""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from testbed.demo.checks import Check, identified, is_dropped, prints
from testbed.demo.mesh import enter_network
from testbed.demo.shell import Result
from tests.e2e.cluster import Object
from tests.mesh.cells import (
    CLUSTER,
    CLUSTER_PLAIN,
    DIRECTIONS,
    ISTIO_CNI,
    NFTABLES,
    NODE,
    NODE_PORT,
    NODE_TO_NET1,
    OTHER_NODE,
    OUTSIDE,
    OVERLAY,
    SAME_UNDERLAY,
    TO_CLUSTER_IP,
    TO_ITSELF,
    TO_ITSELF_KNOWN,
    TO_MESH,
    Cell,
    Direction,
    cells,
)
from tests.mesh.conftest import Mesh, net1
from tests.mesh.manifests import NAMESPACE, PLAIN_PORT, STRICT_PORT
from tests.mesh.requests import Request, side_by_side

CASES = [
    pytest.param(direction, cell, id=f"{cell.name} {direction.name}")
    for cell in cells()
    for direction in DIRECTIONS
    if cell.layout in direction.layouts
]
_ROUTER = "router"
Answers = dict[object, Result]


@pytest.fixture(scope="session")
def answers(mesh: Mesh, applications: dict[str, Object], outside: Path) -> Answers:
    """What became of each request, by direction and cell."""

    def execute(origin: str, script: str) -> str:
        if origin != _ROUTER:
            return mesh.execute(origin, script)
        settings = [f"PATH={outside}:{os.environ['PATH']}", f"TMPDIR={outside}"]
        command = mesh.testbed.gateway_command(["env", *settings, "sh", "-c", script])
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    return side_by_side(_requests(mesh, applications), execute)


def _requests(mesh: Mesh, applications: dict[str, Object]) -> dict[str, list[Request]]:
    origins: dict[str, list[Request]] = {}

    def ask(origin: str, direction: Direction, cell: Cell, url: str) -> None:
        origins.setdefault(origin, []).append(Request((direction, cell), url))

    [home] = [node.address for node in mesh.testbed.nodes if node.name == mesh.home]
    services = {
        each["metadata"]["name"]: each for each in mesh.cluster.items("services", f"-n {NAMESPACE}")
    }
    for cell in cells():
        name = cell.name
        pod = applications[name]
        plain = f"http://{pod['status']['podIP']}:{PLAIN_PORT}/"
        port = services[f"{name}-unknown"]["spec"]["ports"][0]["nodePort"]
        ask("node-shell", NODE, cell, plain)
        ask("bystander", CLUSTER_PLAIN, cell, plain)
        ask("client", CLUSTER, cell, f"http://{name}/")
        ask("client-away", OTHER_NODE, cell, f"http://{name}/")
        ask("client-underlay", SAME_UNDERLAY, cell, f"http://{name}/")
        ask(_ROUTER, NODE_PORT, cell, f"http://{home}:{port}/")
        underlay = net1(pod) if cell.layout == OVERLAY else pod["status"]["podIP"]
        ask(_ROUTER, OUTSIDE, cell, f"http://{underlay}:{PLAIN_PORT}/")
        if cell.layout == OVERLAY:
            ask("node-shell", NODE_TO_NET1, cell, f"http://{underlay}:{PLAIN_PORT}/")
        ask(name, TO_CLUSTER_IP, cell, "http://bystander/")
        ask(name, TO_MESH, cell, "http://client/")
        ask(name, TO_ITSELF, cell, f"http://{name}-unknown/")
        # Its bare name is in the pod's /etc/hosts.
        ask(name, TO_ITSELF_KNOWN, cell, f"http://{name}.{NAMESPACE}/")
    return origins


def expected(direction: Direction, cell: Cell) -> Check:
    """Return what the table says of one request."""
    if direction.is_lost(cell):
        return is_dropped
    if direction.identity:
        return identified(f"spiffe://cluster.local/ns/{NAMESPACE}/sa/{direction.identity}")
    return prints("answered-by ")


@pytest.mark.parametrize(("direction", "cell"), CASES)
def test_request(answers: Answers, direction: Direction, cell: Cell) -> None:
    result = answers[(direction, cell)]
    wrong = expected(direction, cell)(result)
    assert wrong is None, f"{result.text}: {wrong}:\n{result.output}"


@pytest.mark.parametrize(
    "cell", [cell for cell in cells() if not cell.lacks_address], ids=lambda cell: cell.name
)
def test_plain_text_is_refused_where_mutual_tls_is_a_must(
    mesh: Mesh, applications: dict[str, Object], cell: Cell
) -> None:
    url = f"http://{applications[cell.name]['status']['podIP']}:{STRICT_PORT}/"
    output = mesh.execute("node-shell", f"fetch {url} 2>&1 || true")
    # The proxy ends such a connection: what reaches it is taken, and not let through.
    assert "reset" in output or "EOF" in output, output


@pytest.mark.parametrize("cell", cells(), ids=lambda cell: cell.name)
def test_rules_come_from_where_the_cell_says(applications: dict[str, Object], cell: Cell) -> None:
    states = applications[cell.name]["status"]["initContainerStatuses"]
    programs = {"istio-init", "istio-validation"} & {each["name"] for each in states}
    # istio-cni leaves a container that looks whether the rules are there.
    assert programs == {"istio-validation" if cell.rules_by == ISTIO_CNI else "istio-init"}


@pytest.mark.parametrize("cell", cells(), ids=lambda cell: cell.name)
def test_rules_are_of_the_kind_that_the_cell_says(
    mesh: Mesh, applications: dict[str, Object], cell: Cell
) -> None:
    assert cell.name in applications
    prefix = enter_network(mesh.cluster.shell, cell.name, NAMESPACE)
    tables = mesh.cluster.shell.output(shlex.join([*prefix, "nft", "list", "tables"]))
    # Istio's own tables where it programs nftables; else those of iptables, which Debian's makes.
    assert ("istio-proxy" in tables) == (cell.mode == NFTABLES), tables


def test_pods_without_an_address_look_healthy(applications: dict[str, Object]) -> None:
    for cell in cells():
        states = applications[cell.name]["status"]
        ready = [each["ready"] for each in states["containerStatuses"]]
        ready += [
            each["ready"]
            for each in states["initContainerStatuses"]
            if each["name"] == "istio-proxy"
        ]
        assert ready == [True, True], cell
