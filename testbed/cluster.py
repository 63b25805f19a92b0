"""A running cluster: its nodes, its kubeconfig, and how to get into them."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from testbed import binaries, cache, cni, namespaces, processes, topology
from testbed.errors import TestbedError
from testbed.namespaces import Namespaces
from testbed.network import GATEWAY
from testbed.paths import State
from testbed.topology import Node


@dataclass(frozen=True)
class Cluster:
    """The cluster of a state folder, whether it runs or not.

    Attributes:
        network: the name of its cluster network (`cni.NETWORKS`).
        kubernetes: the release that it was made of, such as v1.36.1.
    """

    state: State
    nodes: tuple[Node, ...]
    network: str = cni.BRIDGE
    kubernetes: str = ""

    @classmethod
    def recorded(cls, state: State) -> "Cluster | None":
        """Return the cluster that was brought up to the end, None when there is none."""
        try:
            record = json.loads(state.record.read_text())
        except FileNotFoundError:
            return None
        return cls(
            state,
            topology.nodes(record["nodes"]),
            network=record.get("network", cni.BRIDGE),
            kubernetes=record.get("kubernetes", ""),
        )

    def record(self) -> str:
        """Render what `recorded` reads."""
        record = {
            "nodes": len(self.nodes),
            "network": self.network,
            "kubernetes": self.kubernetes,
        }
        return json.dumps(record) + "\n"

    @classmethod
    def running(cls, state: State | None = None) -> "Cluster":
        """Return the cluster of this clone, for whoever needs one that runs.

        Raises:
            TestbedError: none is up.
        """
        cluster = cls.recorded(state or State.of_clone())
        if cluster is None or cluster.ended():
            raise TestbedError("no testbed is up: run `make up`")
        return cluster

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, for use on the host."""
        return self.state.kubeconfig

    @property
    def cni_file(self) -> Path:
        """Where each node has its cluster network's CNI configuration."""
        return cni.NETWORKS[self.network]

    @property
    def control_plane(self) -> Node:
        """The node that runs the control plane."""
        return self.nodes[0]

    def ended(self) -> list[str]:
        """Return the names of the processes that should run and do not."""
        root = self.state.root
        return [name for name in processes.names(root) if processes.find(name, root) is None]

    def namespaces(self, node: str) -> Namespaces:
        """Return the namespaces of a node, by its name.

        Raises:
            TestbedError: there is no such node, or it does not run.
        """
        names = [known.name for known in self.nodes]
        if node not in names:
            raise TestbedError(f"no node {node!r}: the testbed has {', '.join(names)}")
        inside = namespaces.found(node, self.state.root, node=True)
        if inside is None:
            raise TestbedError(f"{node} does not run: `make down`, then `make up`")
        return inside

    def node_command(self, node: str, arguments: list[str]) -> list[str]:
        """Return the command line that runs `arguments` in a node, as root of that node."""
        return self.namespaces(node).command(arguments)

    def gateway_command(self, arguments: list[str]) -> list[str]:
        """Return the command line that runs `arguments` at the underlay's gateway.

        Raises:
            TestbedError: the gateway does not run.
        """
        gateway = namespaces.found(GATEWAY, self.state.root, node=False)
        if gateway is None:
            raise TestbedError("the gateway does not run: `make down`, then `make up`")
        return gateway.command(arguments)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl as the administrator and return its output.

        Raises:
            TestbedError: it fails; the text has its output.
        """
        config = f"--kubeconfig={self.kubeconfig}"
        return binaries.run(self.state.bin, "kubectl", config, *arguments, stdin=stdin)

    def import_image(self, archive: Path) -> None:
        """Load a docker-archive into every node that does not have it yet.

        Raises:
            TestbedError: containerd refuses it.
        """
        with ThreadPoolExecutor() as pool:
            for _ in pool.map(lambda node: self._import(node, archive), self.nodes):
                pass

    def _import(self, node: Node, archive: Path) -> None:
        about = archive.stat()
        key = cache.key_of(str(archive), str(about.st_size), str(about.st_mtime_ns))
        mark = self.state.node(node.name) / "images" / key
        if mark.exists():
            return
        command = ["ctr", "--namespace=k8s.io", "images", "import", "-"]
        with archive.open("rb") as content:
            done = subprocess.run(
                self.node_command(node.name, command),
                stdin=content,
                check=False,
                capture_output=True,
                text=True,
            )
        if done.returncode:
            raise TestbedError(f"{node.name}: cannot import {archive}: {done.stderr.strip()}")
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(f"{archive}\n")
