"""Remove a cluster, whole or half made, and look that nothing of it is left."""

import contextlib
import os
import shutil
import signal
from pathlib import Path

from testbed import cgroups, processes, topology
from testbed.errors import TestbedError
from testbed.paths import State

_END_SECONDS = 30.0
_MOUNTS = Path("/proc/mounts")


def remove(state: State) -> None:
    """End every process of the state, remove its cgroups and its folder.

    Raises:
        TestbedError: something cannot be removed, or is left over; the text names it.
    """
    _end_all(state.root)
    for node in topology.nodes(topology.MOST_NODES):
        cgroups.remove(cgroups.name_of(state.root, node.name))
    if state.root.exists():
        # The record first: what is half removed does not count as a cluster.
        state.record.unlink(missing_ok=True)
        shutil.rmtree(state.root)
    left = leftovers(state)
    if left:
        raise TestbedError("the testbed is removed, but these are left:\n" + "\n".join(left))


def _end_all(root: Path) -> None:
    """Kill all at once: with the first process of a node's pid namespace goes all in it."""

    def none_left() -> bool:
        left = list(processes.marked(root))
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            processes.reap(pid)
        return not left

    processes.wait_until("every process of the testbed has ended", none_left, seconds=_END_SECONDS)


def leftovers(state: State) -> list[str]:
    """Return a line for everything of this state that still exists.

    Links, addresses, routes and rules live in the namespaces, which end with their
    processes; mounts likewise. So processes, mounts and cgroups are all there can be.
    """
    return [
        *(f"process {pid}: {_command(pid)}" for pid in processes.marked(state.root)),
        *(f"mount {line}" for line in mounts_of(state.root, _MOUNTS.read_text())),
        *(
            f"cgroup {group}"
            for node in topology.nodes(topology.MOST_NODES)
            for group in cgroups.existing(cgroups.name_of(state.root, node.name))
        ),
        *([f"folder {state.root}"] if state.root.exists() else []),
    ]


def mounts_of(root: Path, table: str) -> list[str]:
    """Return the lines of /proc/mounts whose source, target or options name `root`."""
    return [line for line in table.splitlines() if str(root) in line]


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return "(ended)"
