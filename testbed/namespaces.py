"""Namespaces held by a process: end the process, and all in them ends and goes.

A node has network, mount, pid, ipc and uts namespaces. Its pid namespace makes
the clean-up certain: when its first process ends, the kernel ends every other one
in it, its mounts go with the mount namespace, its links with the network namespace.
"""

import subprocess
from pathlib import Path

from testbed import processes
from testbed.errors import TestbedError
from testbed.processes import Process

_NODE = ("net", "mnt", "pid_for_children", "ipc", "uts")
_NETWORK = ("net",)
_OPTION = {
    "net": "--net",
    "mnt": "--mount",
    "pid_for_children": "--pid",
    "ipc": "--ipc",
    "uts": "--uts",
}
# Orphans of a pid namespace fall to its first process, which here ignores their end:
# then the kernel takes them away itself.
_SLEEP = ["env", "--ignore-signal=CHLD", "sleep", "infinity"]


class Namespaces:
    """The namespaces of a node, or the network namespace of a piece of the underlay."""

    def __init__(self, holder: Process, kinds: tuple[str, ...]) -> None:
        self.holder = holder
        self._kinds = kinds

    def command(self, arguments: list[str], *, only_network: bool = False) -> list[str]:
        """Return the command line that runs `arguments` in these namespaces."""
        kinds = _NETWORK if only_network else self._kinds
        entries = [f"{_OPTION[kind]}={self._file(kind)}" for kind in kinds]
        return ["nsenter", *entries, "--", *arguments]

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a command in them to its end and return its output.

        Raises:
            TestbedError: it exits with an error; the text has its output.
        """
        done = subprocess.run(
            self.command(list(arguments)), input=stdin, check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise TestbedError(
                f"{self.holder.name}: `{' '.join(arguments)}` failed with status "
                f"{done.returncode}: {(done.stderr or done.stdout).strip()}"
            )
        return done.stdout

    def path(self, inside: str) -> Path:
        """Return the host's way to a file as it is seen from inside."""
        return Path(f"/proc/{self.holder.pid}/root") / inside.lstrip("/")

    def _file(self, kind: str) -> str:
        return f"/proc/{self.holder.pid}/ns/{kind}"


def hold_network(name: str, state: Path) -> Namespaces:
    """Make a network namespace and a process that holds it."""
    return _hold(name, ["unshare", "--net", *_SLEEP], state, _NETWORK)


def hold_node(name: str, state: Path) -> Namespaces:
    """Make the namespaces of a node and the process that holds them."""
    command = ["unshare", "--net", "--mount", "--ipc", "--uts", "--pid", "--fork"]
    command += ["--mount-proc", "--kill-child=KILL", *_SLEEP]
    return _hold(name, command, state, _NODE)


def found(name: str, state: Path, *, node: bool) -> Namespaces | None:
    """Return namespaces that were made earlier, if their holder still runs."""
    holder = processes.find(name, state)
    return Namespaces(holder, _NODE if node else _NETWORK) if holder else None


def _hold(name: str, command: list[str], state: Path, kinds: tuple[str, ...]) -> Namespaces:
    holder = processes.start(name, command, state=state)
    inside = Namespaces(holder, kinds)

    def differs() -> bool:
        # The process begins in our namespaces: wait until it has left them all.
        return all(_identity(holder.pid, kind) != _identity("self", kind) for kind in kinds)

    processes.wait_until(f"namespaces of {name}", differs, seconds=10, watching=(holder,))
    return inside


def _identity(pid: int | str, kind: str) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/{kind}").readlink())
    except OSError:
        # pid_for_children has no target between unshare and fork.
        return str(Path(f"/proc/self/ns/{kind}").readlink())
