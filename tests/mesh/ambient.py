"""The objects of the tests of ambient mode: what takes ztunnel's place, pods, who asks them."""

from testbed.images import BOX
from testbed.mesh.install import NAMESPACE as ISTIO
from tests.e2e.cluster import Object
from tests.e2e.manifests import FIRST_INTERFACE, FURTHER_INTERFACES
from tests.mesh import manifests
from tests.mesh.cells import ADDRESS, LAYOUTS, REDIRECT, UNDERLAY, Cell
from tests.mesh.manifests import ADDRESSES, NAMESPACE, PLAIN_PORT, STRICT_PORT

ZTUNNEL = "ztunnel"
ENROLLED = "ambient.istio.io/redirection"
"""The annotation by which Istio's node agent tells that a pod is in the mesh."""

AMBIENT = "ambient"
PORT = STRICT_PORT
_SOCKETS = "/var/run/ztunnel"


def cells() -> list[Cell]:
    """Return an application for each layout and address; ambient redirects by REDIRECT."""
    return [
        Cell(REDIRECT, AMBIENT, layout, address) for layout in LAYOUTS for address in ("", ADDRESS)
    ]


def ztunnel() -> Object:
    """The proxy of each node, with what ztunnel's own manifest gives it."""
    capabilities = {"drop": ["ALL"], "add": ["NET_ADMIN", "SYS_ADMIN", "NET_RAW"]}
    container = {
        "name": "istio-proxy",
        "image": BOX,
        "command": ["mesh-proxy", "node", "-peers", ADDRESSES],
        "securityContext": {"runAsUser": 0, "runAsGroup": 1337, "capabilities": capabilities},
        "volumeMounts": [{"name": "sockets", "mountPath": _SOCKETS}],
    }
    labels = {"app": ZTUNNEL, "sidecar.istio.io/inject": "false", "istio.io/dataplane-mode": "none"}
    sockets = {"name": "sockets", "hostPath": {"path": _SOCKETS, "type": "DirectoryOrCreate"}}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": ZTUNNEL, "namespace": ISTIO},
        "spec": {
            "selector": {"matchLabels": {"app": ZTUNNEL}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [container],
                    "volumes": [sockets],
                    "terminationGracePeriodSeconds": 0,
                },
            },
        },
    }


def application(name: str, network: str, node: str) -> Object:
    """A pod that the node agent enrols, whose probe one failure makes fail."""
    made = plain(name, node, network)
    made["metadata"]["labels"]["istio.io/dataplane-mode"] = AMBIENT
    probe = {"tcpSocket": {"port": PORT}, "periodSeconds": 1, "failureThreshold": 1}
    made["spec"]["containers"][0]["readinessProbe"] = probe
    return made


def plain(name: str, node: str, network: str = "") -> Object:
    """A pod outside the mesh that answers, and asks."""
    made = manifests.pod(name, node, "client")
    if network:
        key = FIRST_INTERFACE if network.startswith(UNDERLAY) else FURTHER_INTERFACES
        made["metadata"]["annotations"][key] = f"{NAMESPACE}/{network}"
    [container] = made["spec"]["containers"]
    container["command"] = ["mesh-proxy", "app", str(PORT), str(PLAIN_PORT)]
    container["readinessProbe"] = {"tcpSocket": {"port": PORT}, "periodSeconds": 1}
    return made
