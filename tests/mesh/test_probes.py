"""The kubelet's probes of pods in the mesh: rewritten by the injector, or sent as they are."""

import pytest

from tests.e2e.cluster import Object, eventually
from tests.mesh import manifests
from tests.mesh.cells import (
    INIT_CONTAINER,
    ISTIO_CNI,
    NFTABLES,
    REDIRECT,
    UNDERLAY,
    Cell,
    cells,
)
from tests.mesh.conftest import Mesh
from tests.mesh.manifests import NAMESPACE, PLAIN_PORT

_AS_IT_IS = {"sidecar.istio.io/rewriteAppHTTPProbers": "false"}
# What the node agents program is nftables once all pods of the matrix are there.
_MADE_BY = {(REDIRECT, INIT_CONTAINER), (NFTABLES, ISTIO_CNI)}
_CELLS = [c for c in cells() if (c.mode, c.rules_by) in _MADE_BY and c.layout == UNDERLAY]
_WITH = [cell for cell in _CELLS if cell.address]
_WITHOUT = [cell for cell in _CELLS if not cell.address]


@pytest.fixture(scope="module")
def probed(mesh: Mesh, applications: dict[str, Object]) -> dict[Cell, str]:
    """Pods whose probe goes to the application's port, with an address and without."""
    del applications
    names = {}
    for cell in _CELLS:
        pod = manifests.application(cell, mesh.home)
        name = f"probed-{cell.name}"
        pod["metadata"]["name"] = name
        pod["metadata"]["labels"]["app"] = name
        pod["metadata"]["annotations"] |= _AS_IT_IS
        probe = {"httpGet": {"port": PLAIN_PORT, "path": "/"}, "periodSeconds": 1}
        pod["spec"]["containers"][0]["readinessProbe"] = probe
        mesh.apply(pod)
        names[cell] = name
    return names


@pytest.mark.parametrize("cell", cells(), ids=lambda cell: cell.name)
def test_rewritten_probes_go_to_the_agent(applications: dict[str, Object], cell: Cell) -> None:
    pod = applications[cell.name]
    [app] = [each for each in pod["spec"]["containers"] if each["name"] == "app"]
    assert app["readinessProbe"]["httpGet"]["path"] == "/app-health/app/readyz"
    conditions = {each["type"]: each["status"] for each in pod["status"]["conditions"]}
    assert conditions["Ready"] == "True"


@pytest.mark.parametrize("cell", _WITH, ids=lambda cell: cell.name)
def test_with_an_address_a_probe_as_it_is_reaches_the_application(
    mesh: Mesh, probed: dict[Cell, str], cell: Cell
) -> None:
    mesh.wait_ready(probed[cell])


@pytest.mark.parametrize("cell", _WITHOUT, ids=lambda cell: cell.name)
def test_without_an_address_a_probe_as_it_is_times_out(
    mesh: Mesh, probed: dict[Cell, str], cell: Cell
) -> None:
    name = probed[cell]

    def look() -> bool:
        selected = f"-n {NAMESPACE} --field-selector=involvedObject.name={name},reason=Unhealthy"
        told = [each["message"] for each in mesh.cluster.items("events", selected)]
        return any(str(PLAIN_PORT) in each and "deadline exceeded" in each for each in told)

    eventually("the probe times out", look, 120)
    pod = mesh.pods()[name]
    [app] = [each for each in pod["status"]["containerStatuses"] if each["name"] == "app"]
    assert not app["ready"]
