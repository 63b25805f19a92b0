"""Pods of a mesh: Istio's own programs for the rules, and the stand-in for the proxy."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from testbed.demo.mesh import ISTIO_ARGUMENTS
from tests.cni.namespace import SLOWNESS, Namespace
from tests.istio.cells import DROPPED, Mesh

APP_PORT = 8080
DROPPED_AFTER = 3
"""Seconds after which a request without an answer was dropped, on a processor of its own."""
_USERS: dict[str, tuple[str, ...]] = {
    # dac_read_search: for the program's file, which lies in a home directory.
    "sidecar": (
        *("setpriv", "--reuid=1337", "--regid=1337", "--clear-groups"),
        *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
    ),
    # Istio runs Envoy as root then, for NET_ADMIN; its group tells it from the application.
    "tproxy": ("setpriv", "--regid=1337", "--clear-groups"),
    "ambient": (),
}
"""As which user a proxy runs, as Istio's injection and its ztunnel's manifest have it."""


@dataclass(frozen=True)
class Tools:
    """The programs, built once."""

    sidecar: Path  # Istio's, of sidecars
    ambient: Path  # Istio's, of ambient mode
    proxy: Path  # the stand-in

    def join(self, space: Namespace, mesh: Mesh, families: tuple[int, ...]) -> None:
        """Redirect a pod's traffic."""
        if mesh.ambient:
            self._run(space, [self.ambient, *_ipv6(families), "join"])
            return
        self._run(space, [self.sidecar, *_usual(), *mesh.arguments, *_dual(families)])

    def leave(self, space: Namespace, mesh: Mesh, families: tuple[int, ...]) -> None:
        """Remove the redirection."""
        if mesh.ambient:
            self._run(space, [self.ambient, *_ipv6(families), "leave"])
            return
        arguments = [*_usual(), *mesh.arguments, *_dual(families), "--cleanup-only"]
        self._run(space, [self.sidecar, *arguments])

    def probe_rules(self, node: Namespace, addresses: list[str]) -> None:
        """Let health probes of the node to these pods come from Istio's address."""
        self._run(node, [self.ambient, "-ipv6", "probes", *addresses])

    @staticmethod
    def _run(space: Namespace, words: list[Path | str]) -> None:
        argv = [*space.argv(""), *[str(word) for word in words]]
        # Otherwise each run decides anew, and may look for rules where none were made.
        env = os.environ | {"FORCE_IPTABLES_BINARY": "nft"}
        done = subprocess.run(
            argv, check=False, capture_output=True, text=True, timeout=60, env=env
        )
        assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"

    @contextlib.contextmanager
    def application(self, space: Namespace, log: Path, port: int = APP_PORT) -> Iterator[None]:
        """Serve in a namespace."""
        with _serving([*space.argv(""), str(self.proxy), "app", str(port)], log):
            yield

    @contextlib.contextmanager
    def proxying(self, space: Namespace, mesh: Mesh, log: Path, *settings: str) -> Iterator[None]:
        """Run a proxy in a pod."""
        words = ["proxy", "-name", space.name, "-as", mesh.proxy, *settings]
        with _serving([*space.argv(""), *_USERS[mesh.proxy], str(self.proxy), *words], log):
            yield

    def ask(
        self,
        space: Namespace,
        address: str,
        port: int = APP_PORT,
        source: str = "",
        *,
        seconds: int = DROPPED_AFTER * SLOWNESS,
    ) -> "Answer":
        """Send a request and read the whole answer, which may take so many seconds."""
        target = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        from_there = ["-from", source] if source else []
        words = ["ask", "-timeout", f"{seconds}s", *from_there, target]
        argv, limit = [*space.argv(""), str(self.proxy), *words], 10 * seconds
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=limit)
        return Answer.read(done.stdout, done.stderr)


@dataclass(frozen=True)
class Answer:
    """What came of a request."""

    way: str  # as the table of cells names it, or how it failed
    peer: str  # the client as the application saw it

    @classmethod
    def read(cls, out: str, complaint: str) -> "Answer":
        """Read what the client printed."""
        if complaint:
            return cls(DROPPED if DROPPED in complaint else complaint.strip(), "")
        lines = [line.split() for line in out.splitlines()]
        names = {"outbound": "out", "inbound": "in", "tunnel": "hbone"}
        hops = [names[line[2]] for line in lines if line[0] == "via"]
        peer = next((line[1] for line in lines if line[0] == "peer"), "")
        return cls(", ".join(hops) or "app", peer) if peer else cls(out.strip(), "")


def _usual() -> list[str]:
    at = ISTIO_ARGUMENTS.index("-m")
    return [*ISTIO_ARGUMENTS[:at], *ISTIO_ARGUMENTS[at + 2 :]]


def _dual(families: tuple[int, ...]) -> list[str]:
    return ["--dual-stack"] if len(families) > 1 else []


def _ipv6(families: tuple[int, ...]) -> list[str]:
    return ["-ipv6"] if 6 in families else []


@contextlib.contextmanager
def _serving(argv: list[str], log: Path) -> Iterator[None]:
    with (
        log.open("ab") as complaints,
        subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=complaints, text=True, env=os.environ
        ) as process,
    ):
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", log.read_text()
            yield
        finally:
            process.kill()
