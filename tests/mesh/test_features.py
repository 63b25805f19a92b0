"""What else a mesh does with an underlay pod: headless, exclusions, the outside, gateways."""

import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from testbed import topology
from testbed.demo.checks import identified, is_dropped, prints
from tests.e2e.cluster import Object, eventually
from tests.mesh import manifests
from tests.mesh.cells import ADDRESS, INIT_CONTAINER, REDIRECT, UNDERLAY, Cell
from tests.mesh.conftest import Mesh
from tests.mesh.manifests import NAMESPACE, PLAIN_PORT, STRICT_PORT

_WITHOUT = Cell(REDIRECT, INIT_CONTAINER, UNDERLAY, "")
_WITH = Cell(REDIRECT, INIT_CONTAINER, UNDERLAY, ADDRESS)
_IDENTITY = identified(f"spiffe://cluster.local/ns/{NAMESPACE}/sa/client")
_OUTSIDE_PORT = 8090
_OUTSIDE_NAME = IPv4Address("240.240.1.1")
"""An address that only the mesh knows."""


def _variant(cell: Cell, name: str, node: str, annotations: dict[str, str]) -> Object:
    pod = manifests.application(cell, node)
    pod["metadata"]["name"] = name
    pod["metadata"]["labels"]["app"] = name
    pod["metadata"]["annotations"] |= annotations
    return pod


@pytest.fixture(scope="module")
def variants(mesh: Mesh, applications: dict[str, Object]) -> dict[str, Object]:
    """Pods and services of this module, made at once; pods by name."""
    del applications
    excluded = {"traffic.sidecar.istio.io/excludeInboundPorts": str(PLAIN_PORT)}
    aside = {"traffic.sidecar.istio.io/excludeInterfaces": "veth0"}
    pods = [
        _variant(_WITHOUT, "excluded-port", mesh.home, excluded),
        _variant(_WITHOUT, "excluded-interface", mesh.home, aside),
        _gateway("gateway-cluster", mesh.home, ""),
        _gateway("gateway-underlay", mesh.home, "underlay-set"),
    ]
    mesh.apply(*pods, *_headless(), *_outside_entry(), *_routes())
    mesh.wait_ready(*(pod["metadata"]["name"] for pod in pods))
    return mesh.pods()


def _headless() -> list[Object]:
    made = []
    for cell in (_WITHOUT, _WITH):
        [service, _] = manifests.services(cell.name)
        service["metadata"]["name"] = f"headless-{cell.network}"
        service["spec"] |= {"clusterIP": "None"}
        service["spec"]["ports"] = [{"name": "http", "port": STRICT_PORT}]
        made.append(service)
    return made


@pytest.mark.parametrize("cell", [_WITHOUT, _WITH], ids=lambda cell: cell.name)
def test_headless_service(mesh: Mesh, variants: dict[str, Object], cell: Cell) -> None:
    del variants
    url = f"http://headless-{cell.network}:{STRICT_PORT}/"
    result = mesh.fetch("client", url)
    wrong = (is_dropped if cell.lacks_address else _IDENTITY)(result)
    assert wrong is None, f"{wrong}: {result.output}"


def test_excluded_port_needs_no_address(mesh: Mesh, variants: dict[str, Object]) -> None:
    address = variants["excluded-port"]["status"]["podIP"]
    past = mesh.fetch("node-shell", f"http://{address}:{PLAIN_PORT}/")
    assert prints(f"answered-by {PLAIN_PORT}")(past) is None, past.output
    redirected = mesh.fetch("node-shell", f"http://{address}:{STRICT_PORT}/")
    assert is_dropped(redirected) is None, redirected.output


def test_excluded_veth0_goes_past_the_policies(mesh: Mesh, variants: dict[str, Object]) -> None:
    address = variants["excluded-interface"]["status"]["podIP"]
    # Plain text, to a port where mutual TLS is a must: nobody is there to refuse it.
    result = mesh.fetch("node-shell", f"http://{address}:{STRICT_PORT}/")
    assert prints(f"answered-by {STRICT_PORT}")(result) is None, result.output


def _outside_entry() -> list[Object]:
    return [
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "ServiceEntry",
            "metadata": {"name": "outside", "namespace": NAMESPACE},
            "spec": {
                "hosts": ["outside.test"],
                "addresses": [str(_OUTSIDE_NAME)],
                "location": "MESH_EXTERNAL",
                "resolution": "STATIC",
                "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
                "endpoints": [{"address": str(topology.GATEWAY), "ports": {"http": _OUTSIDE_PORT}}],
            },
        }
    ]


@pytest.fixture
def outside_server(mesh: Mesh, outside: Path) -> Iterator[None]:
    """A server at the underlay's router, which is outside the cluster."""
    program = (outside / "fetch").resolve()
    command = mesh.testbed.gateway_command([str(program), str(_OUTSIDE_PORT)])
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        yield
        process.kill()


@pytest.mark.parametrize("origin", [_WITHOUT.name, _WITH.name, "client"])
def test_service_entry_to_the_outside(
    mesh: Mesh, variants: dict[str, Object], outside_server: None, origin: str
) -> None:
    del variants, outside_server

    def look() -> bool:
        result = mesh.fetch(origin, f"http://{_OUTSIDE_NAME}/")
        return prints(f"answered-by {_OUTSIDE_PORT}")(result) is None

    eventually(f"{origin} reaches what the ServiceEntry names", look, 30)


def _gateway(name: str, node: str, network: str) -> Object:
    """An ingress gateway as Istio injects it: the container is the proxy itself."""
    pod = manifests.pod(name, node, "app", network=network)
    pod["metadata"]["labels"] |= {"istio": "ingress", "sidecar.istio.io/inject": "true"}
    pod["metadata"]["annotations"]["inject.istio.io/templates"] = "gateway"
    # Without a policy, the API server takes an image without a tag for one to be pulled always.
    proxy = {"name": "istio-proxy", "image": "auto", "imagePullPolicy": "IfNotPresent"}
    pod["spec"]["containers"] = [proxy]
    return pod


def _routes() -> list[Object]:
    """The gateways take port 8000, and the host's name tells which application is meant."""
    hosts = {f"{cell.network}.test": cell.name for cell in (_WITHOUT, _WITH)}
    port = {"number": 8000, "name": "http", "protocol": "HTTP"}
    gateway = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "ingress", "namespace": NAMESPACE},
        "spec": {
            "selector": {"istio": "ingress"},
            "servers": [{"port": port, "hosts": list(hosts)}],
        },
    }
    routes = [
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "VirtualService",
            "metadata": {"name": service, "namespace": NAMESPACE},
            "spec": {
                "hosts": [host],
                "gateways": ["ingress"],
                "http": [{"route": [{"destination": {"host": service}}]}],
            },
        }
        for host, service in hosts.items()
    ]
    return [gateway, *routes]


@pytest.mark.parametrize("gateway", ["gateway-cluster", "gateway-underlay"])
def test_ingress_gateway(mesh: Mesh, variants: dict[str, Object], gateway: str) -> None:
    address = variants[gateway]["status"]["podIP"]
    seen = identified(f"spiffe://cluster.local/ns/{NAMESPACE}/sa/app")

    def look() -> bool:
        host = f"{_WITH.network}.test"
        result = mesh.fetch("bystander", f"http://{address}:8000/", host)
        return seen(result) is None

    eventually(f"{gateway} leads to {_WITH.name}", look, 60)


def test_ingress_gateway_to_a_pod_without_an_address(
    mesh: Mesh, variants: dict[str, Object]
) -> None:
    host = f"{_WITHOUT.network}.test"
    for gateway, lost in (("gateway-cluster", True), ("gateway-underlay", False)):
        address = variants[gateway]["status"]["podIP"]
        result = mesh.fetch("bystander", f"http://{address}:8000/", host)
        assert (is_dropped(result) is None) is lost, f"{gateway}: {result.output}"
