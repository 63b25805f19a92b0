"""Where the testbed keeps things: state beside the clone, results of builds in the cache."""

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
"""The root of the clone."""

SOURCES = PROJECT / "testbed"
"""The testbed's own sources, for the Go modules and manifests in it."""

PROGRAMS = PROJECT / "build" / "programs"
"""Links to the programs that may be run, see `guard`."""

PLUGINS = PROJECT / "build" / "plugins"
"""Links to the CNI plugins that may be run."""


def cache_dir() -> Path:
    """Return the folder for results of builds, shared by all clones of this user."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "spidercoordinator"


@dataclass(frozen=True)
class State:
    """The files of one cluster; everything is below `root`, and goes with it."""

    root: Path

    @classmethod
    def of_clone(cls) -> "State":
        """Return the state of this clone: `.testbed/`, or `$TESTBED_STATE`."""
        named = os.environ.get("TESTBED_STATE")
        return cls(Path(named).resolve() if named else PROJECT / ".testbed")

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig for use on the host."""
        return self.root / "kubeconfig"

    @property
    def bin(self) -> Path:
        """Links to kubectl, helm and the other binaries."""
        return self.root / "bin"

    @property
    def logs(self) -> Path:
        """One log a process."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """One file a process: its pid and start time."""
        return self.root / "run"

    @property
    def pki(self) -> Path:
        """Certificates and keys of the cluster, as kubeadm names them."""
        return self.root / "pki"

    @property
    def kubernetes(self) -> Path:
        """Kubeconfigs of the components, as kubeadm names them."""
        return self.root / "kubernetes"

    @property
    def etcd(self) -> Path:
        """Etcd's data."""
        return self.root / "etcd"

    @property
    def record(self) -> Path:
        """What was brought up, written when it was complete."""
        return self.root / "cluster.json"

    @property
    def lock(self) -> Path:
        """Held by the one command that changes the cluster."""
        return self.root / "lock"

    def node(self, name: str) -> Path:
        """Return the folder for the data of one node."""
        return self.root / "nodes" / name
