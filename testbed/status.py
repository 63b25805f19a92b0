"""What runs of a testbed, for its user."""

from testbed import processes
from testbed.cluster import Cluster
from testbed.errors import TestbedError
from testbed.paths import State


def report(state: State) -> tuple[list[str], bool]:
    """Return lines that tell what runs, and whether all is well."""
    cluster = Cluster.recorded(state)
    if cluster is None:
        half = "a half made one is there: `make up` replaces it" if state.root.exists() else ""
        return [f"no cluster is up in {state.root} {half}".rstrip()], False
    ended = cluster.ended()
    lines = [f"cluster of {len(cluster.nodes)} in {state.root}"]
    for name in processes.names(state.root):
        found = processes.find(name, state.root)
        what = f"pid {found.pid}" if found else f"ENDED, see {state.logs / name}.log"
        lines.append(f"  {name:<24} {what}")
    if ended:
        return lines, False
    try:
        lines.append(cluster.kubectl("get", "nodes,pods", "--all-namespaces", "-o=wide").rstrip())
    except TestbedError as failed:
        return [*lines, str(failed)], False
    return [*lines, f"export KUBECONFIG={state.kubeconfig}"], True
