"""Start the forwarder by which the host reaches the API server."""

import socket
import sys

from testbed import paths, processes, topology
from testbed.namespaces import Namespaces
from testbed.paths import State
from testbed.processes import Process
from testbed.topology import Node


def start(inside: Namespaces, target: Node, state: State) -> tuple[Process, str]:
    """Start it on a free port of the host's loopback; return it and the API server's URL."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        port: int = listener.getsockname()[1]
        number = listener.fileno()
        program = [sys.executable, "-m", "testbed.forward", str(number)]
        program += [str(target.address), str(topology.API_PORT)]
        process = processes.start(
            "forwarder",
            # Of the node's namespaces only the network: it is a program of the host.
            inside.command(program, only_network=True),
            state=state.root,
            pass_fds=(number,),
            environment={"PYTHONPATH": str(paths.PROJECT)},
        )
    return process, f"https://127.0.0.1:{port}"
