"""Real traffic between namespaces: a server that says whom it saw, and a client with a deadline."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator

from tests.cni.namespace import SLOWNESS, Namespace

_SERVER = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
server = socket.create_server((sys.argv[1], int(sys.argv[2])), family=family)
server.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, int(sys.argv[3]))
print("ready", flush=True)
while True:
    peer, address = server.accept()
    with peer:
        peer.settimeout(5)
        peer.sendall(f"{address[0]} {peer.getsockname()[0]}".encode())
"""

_CLIENT = """
import socket, sys
try:
    target, deadline = (sys.argv[1], int(sys.argv[2])), float(sys.argv[3])
    with socket.create_connection(target, timeout=deadline) as peer:
        print(peer.recv(200).decode())
except OSError as error:
    sys.exit(str(error))
"""


@contextlib.contextmanager
def server(space: Namespace, address: str, port: int, *, mark: int = 0) -> Iterator[None]:
    """Serve in a namespace; it answers with the client's address and its own.

    Its packets carry a mark, as those of a mesh's proxy do.
    """
    argv = [*space.argv(sys.executable), "-I", "-S", "-c", _SERVER, address, str(port), str(mark)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield
        finally:
            process.kill()


def ask(
    space: Namespace, address: str, port: int, *, deadline: float = 5 * SLOWNESS
) -> tuple[str, str] | None:
    """Return the client's and the server's address as the server saw them, None without answer."""
    argv = [
        *space.argv(sys.executable),
        "-I",
        "-S",
        "-c",
        _CLIENT,
        address,
        str(port),
        str(deadline),
    ]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=30 * SLOWNESS)
    if done.returncode != 0:
        return None
    client, local = done.stdout.split()
    return client, local


def pings(space: Namespace, address: str) -> bool:
    """Say whether an address answers to one of three echo requests."""
    return space.ok(f"ping -c 3 -i 0.2 -W 2 {address}")
