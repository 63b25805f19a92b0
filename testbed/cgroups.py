"""A cgroup a node, so that kubelets do not see each other's pods.

A kubelet removes pod cgroups it does not know. Cgroups are the one thing of a node
that lies outside its namespaces, so they are also the one thing `down` removes by
name.
"""

import contextlib
import hashlib
import os
import time
from pathlib import Path

from testbed.errors import TestbedError

_MOUNTS = Path("/proc/mounts")
_V1_COPIED = ("cpuset.cpus", "cpuset.mems")
_REMOVE_SECONDS = 10.0


def name_of(state: Path, node: str) -> str:
    """Return the cgroup's name, which differs between clones."""
    return f"testbed-{hashlib.sha256(str(state).encode()).hexdigest()[:8]}-{node}"


def create(name: str) -> None:
    """Make the cgroup in every hierarchy."""
    for root in _hierarchies():
        group = root / name
        group.mkdir(exist_ok=True)
        for setting in _V1_COPIED:
            # Version 1 starts a cpuset empty, and then no process may enter it.
            if (root / setting).exists():
                (group / setting).write_text((root / setting).read_text())


def remove(name: str) -> None:
    """Remove the cgroup and all below it.

    Raises:
        TestbedError: a process still is in one of them.
    """
    deadline = time.monotonic() + _REMOVE_SECONDS
    for root in _hierarchies():
        while (root / name).exists():
            busy = _remove_tree(root / name)
            if busy and time.monotonic() > deadline:
                raise TestbedError(
                    f"cgroup {busy} is in use: its cgroup.procs names the processes in it"
                )
            if busy:
                # A process that was killed leaves its cgroup a moment later.
                time.sleep(0.05)


def existing(name: str) -> list[Path]:
    """Return where the cgroup exists."""
    return [root / name for root in _hierarchies() if (root / name).exists()]


def _hierarchies() -> list[Path]:
    fields = [line.split() for line in _MOUNTS.read_text().splitlines()]
    return [Path(entry[1]) for entry in fields if entry[2] in {"cgroup", "cgroup2"}]


def _remove_tree(top: Path) -> Path | None:
    """Remove a cgroup from its leaves up; return the one that is still in use."""
    busy = None
    for folder, _, _ in os.walk(top, topdown=False):
        try:
            with contextlib.suppress(FileNotFoundError):
                Path(folder).rmdir()
        except OSError:
            busy = Path(folder)
    return busy
