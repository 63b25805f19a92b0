"""Services as a cluster has them: a real API server, and the real kube-proxy on the tests' node."""

import contextlib
import ipaddress
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from testbed import binaries, kube_proxy
from testbed.apiserver import ApiServer
from testbed.topology import Node
from tests.cni.namespace import Json, Namespace, run
from tests.cni.topology import NODE_IPV4, Pod

ROOT = Path(__file__).resolve().parents[2]
SERVICE_CIDR = "10.96.0.0/16"
NODE = Node("node", ipaddress.IPv4Address(NODE_IPV4))

# The API server listens on the machine's loopback. The listener of the same address on the node's
# loopback is made there; the program that serves it then goes back to the machine's network.
_LISTEN = """
import os, socket, sys
port, network, *forward = sys.argv[1:]
listener = socket.create_server(("127.0.0.1", int(port)), backlog=128)
os.set_inheritable(listener.fileno(), True)
command = ["nsenter", f"--net={network}", *forward, str(listener.fileno()), "127.0.0.1", port]
os.execvp(command[0], command)
"""


@dataclass(frozen=True)
class Services:
    """What tests make in the API server."""

    server: ApiServer

    def node(self) -> None:
        """Make the node's object, which tells kube-proxy its address."""
        self._make({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE.name}})
        status = {"addresses": [{"type": "InternalIP", "address": NODE_IPV4}]}
        self._kubectl(
            "patch",
            "node",
            NODE.name,
            "--subresource=status",
            "--type=merge",
            f"--patch={json.dumps({'status': status})}",
        )

    def service(
        self, name: str, pod: Pod, address: str, node_port: int | None = None, node: str = NODE.name
    ) -> None:
        """Make a Service of one pod; with a port of the node, clients keep their addresses."""
        port: Json = {"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}
        spec: Json = {"clusterIP": address, "ports": [port]}
        if node_port:
            port["nodePort"] = node_port
            spec |= {"type": "NodePort", "externalTrafficPolicy": "Local"}
        self._make(
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
        )
        self._make(
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
                "addressType": "IPv4",
                "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
                "endpoints": [
                    {
                        "addresses": [pod.ipv4()],
                        "nodeName": node,
                        "conditions": {"ready": True},
                    }
                ],
            }
        )

    def _make(self, thing: Json) -> None:
        self._kubectl("create", "--filename=-", stdin=json.dumps(thing))

    def _kubectl(self, *words: str, stdin: str | None = None) -> None:
        kubectl = binaries.ensure() / "kubectl"
        run(kubectl, f"--kubeconfig={self.server.kubeconfig}", *words, stdin=stdin)


@contextlib.contextmanager
def api_server(node: Namespace) -> Iterator[Services]:
    """Start an API server that the node reaches at the address that the kubeconfig names."""
    with ApiServer() as server:
        port = server.url.rpartition(":")[2]
        forward = [sys.executable, "-m", "testbed.forward"]
        listen = [sys.executable, "-c", _LISTEN, port, f"/proc/{os.getpid()}/ns/net", *forward]
        with _running([*node.argv(""), *listen]):
            services = Services(server)
            services.node()
            yield services


@contextlib.contextmanager
def proxied(node: Namespace, services: Services, mode: str, log: Path) -> Iterator[None]:
    """Run kube-proxy on the node, with the testbed's own flags."""
    flags = kube_proxy.flags(NODE, mode)
    flags[0] = f"--kubeconfig={services.server.kubeconfig}"
    with _running([*node.argv(""), str(binaries.ensure() / "kube-proxy"), *flags], log):
        yield


@contextlib.contextmanager
def _running(argv: list[str], log: Path = Path(os.devnull)) -> Iterator[None]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = ["setpriv", "--pdeathsig", "KILL", *argv]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    with process:
        try:
            yield
        finally:
            process.kill()
