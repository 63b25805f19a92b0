"""The objects of the mesh tests."""

from testbed.images import BOX
from tests.e2e.cluster import Object
from tests.e2e.manifests import FIRST_INTERFACE, FURTHER_INTERFACES
from tests.mesh.cells import (
    ADDRESS,
    INIT_CONTAINER,
    ISTIO_CNI,
    LAYOUTS,
    NFTABLES,
    TPROXY,
    UNDERLAY,
    Cell,
)

NAMESPACE = "mesh-tests"
STRICT_PORT = 8080
PLAIN_PORT = 8081
"""Where an application takes plain text as well, so that what is outside the mesh reaches it."""

NFTABLES_REVISION, ISTIO_CNI_REVISION = "nftables", "istio-cni"
"""Further istiods: one whose injector has nftables programmed, one that leaves it to istio-cni."""

ADDRESSES = "172.30.48.0/21"
"""Where the addresses of the networks below lie."""

_MODE = "sidecar.istio.io/interceptionMode"
# One store of addresses for all of them, by their common name; away from other tests' ranges.
_SHARED_NAME = {"cni.spidernet.io/cniconfig-name": NAMESPACE}
_RANGE = {
    "subnet": "172.30.0.0/16",
    "rangeStart": "172.30.48.1",
    "rangeEnd": "172.30.55.254",
    "gateway": "172.30.0.1",
}
_IPAM = {"type": "host-local", "ranges": [[_RANGE]], "routes": [{"dst": "0.0.0.0/0"}]}


def namespace() -> Object:
    labels = {"pod-security.kubernetes.io/enforce": "privileged"}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": labels},
    }


def account(name: str) -> Object:
    return _object("v1", "ServiceAccount", name)


def networks() -> list[Object]:
    """One network for each layout and address."""
    return [
        _network(Cell("", INIT_CONTAINER, layout, address).network, address)
        for layout in LAYOUTS
        for address in ("", ADDRESS)
    ]


def _network(name: str, address: str) -> Object:
    made = _object("spiderpool.spidernet.io/v2beta1", "SpiderMultusConfig", name)
    made["metadata"]["annotations"] = _SHARED_NAME
    # none and not "": the cluster-wide address is another test's business.
    coordinator = {"vethLinkAddress": address or "none"}
    macvlan = {"master": ["eth0"]}
    made["spec"] = {
        "cniType": "macvlan",
        "macvlan": macvlan,
        "ipam": _IPAM,
        "coordinator": coordinator,
    }
    return made


def strict() -> list[Object]:
    """Mutual TLS is a must in the namespace, but for one port of the applications."""
    everywhere = _object("security.istio.io/v1", "PeerAuthentication", "default")
    everywhere["spec"] = {"mtls": {"mode": "STRICT"}}
    ports = _object("security.istio.io/v1", "PeerAuthentication", "plain-port")
    ports["spec"] = {
        "selector": {"matchLabels": {"role": "app"}},
        "mtls": {"mode": "STRICT"},
        "portLevelMtls": {str(PLAIN_PORT): {"mode": "PERMISSIVE"}},
    }
    return [everywhere, ports]


def application(cell: Cell, node: str) -> Object:
    """An application of the mesh that the injector gives a sidecar."""
    made = pod(cell.name, node, "app", network=cell.network if cell.layout == UNDERLAY else "")
    if cell.layout != UNDERLAY:
        made["metadata"]["annotations"][FURTHER_INTERFACES] = f"{NAMESPACE}/{cell.network}"
    _inject(made, cell.mode, cell.rules_by)
    made["metadata"]["labels"]["role"] = "app"
    return made


def client(name: str, node: str, network: str = "") -> Object:
    """A pod of the mesh that asks others, on the cluster network or another one."""
    made = pod(name, node, "client", network=network)
    _inject(made)
    return made


def _inject(made: Object, mode: str = "", rules_by: str = INIT_CONTAINER) -> None:
    labels = {"sidecar.istio.io/inject": "true"}
    if rules_by == ISTIO_CNI:
        labels = {"istio.io/rev": ISTIO_CNI_REVISION}
    elif mode == NFTABLES:
        labels = {"istio.io/rev": NFTABLES_REVISION}
    made["metadata"]["labels"] |= labels
    if mode == TPROXY:
        made["metadata"]["annotations"][_MODE] = "TPROXY"


def pod(name: str, node: str, account: str, *, network: str = "") -> Object:
    """A pod that answers on both ports; nobody injects anything into it as it is."""
    made = _object("v1", "Pod", name)
    made["metadata"]["labels"] = {"app": name}
    made["metadata"]["annotations"] = {FIRST_INTERFACE: f"{NAMESPACE}/{network}"} if network else {}
    container = {
        "name": "app",
        "image": BOX,
        "command": ["redirect-listener", str(STRICT_PORT), str(PLAIN_PORT)],
        "readinessProbe": {"httpGet": {"port": STRICT_PORT, "path": "/"}, "periodSeconds": 1},
    }
    made["spec"] = {
        "nodeName": node,
        "serviceAccountName": account,
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
    }
    return made


def node_shell(name: str, node: str) -> Object:
    """A pod in the network of its node."""
    made = pod(name, node, "client")
    made["spec"]["hostNetwork"] = True
    made["spec"]["containers"] = [{"name": "app", "image": BOX, "command": ["sleep", "2147483647"]}]
    return made


def services(name: str) -> list[Object]:
    """What leads to a pod: its name, its name for what is no client of a mesh, a port of the node.

    The proxies are not told of the second one, so they pass on what is sent to its address.
    """
    known = _service(name, name, STRICT_PORT)
    unknown = _service(f"{name}-unknown", name, PLAIN_PORT)
    unknown["metadata"]["annotations"] = {"networking.istio.io/exportTo": "~"}
    unknown["spec"]["type"] = "NodePort"
    return [known, unknown]


def _service(name: str, pod: str, port: int) -> Object:
    made = _object("v1", "Service", name)
    ports = [{"name": "http", "port": 80, "targetPort": port}]
    made["spec"] = {"selector": {"app": pod}, "ports": ports}
    return made


def _object(version: str, kind: str, name: str) -> Object:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
    }
