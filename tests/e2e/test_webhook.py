"""The admission webhook, switched on by a chart value, as kubectl's user meets it."""

import json

import pytest

from tests.e2e import manifests
from tests.e2e.cluster import NETWORKS, Cluster, Object, Release, eventually
from tests.e2e.conftest import upgrade
from tests.e2e.manifests import MASTER, NAMESPACE


def _apply(cluster: Cluster, spec: Object, *, dry: bool = False) -> str:
    """What kubectl says; the object goes away again if it was taken."""
    text = json.dumps(manifests.network("admitted", spec))
    option = "--dry-run=server" if dry else ""
    output = cluster.shell.run(f"kubectl apply {option} -f - <<'END'\n{text}\nEND").output
    cluster.delete(NETWORKS, "admitted", NAMESPACE)
    return output


def _refusal(output: str) -> str:
    lines = output.splitlines()
    return "\n".join(line for line in lines if "denied the request" in line)


def _missed(cluster: Cluster, master: str) -> str:
    """What is said of a master that no node has."""
    output = _apply(cluster, {"macvlan": {"master": [master]}}, dry=True)
    assert "created" in output
    return "\n".join(line for line in output.splitlines() if ".master" in line)


@pytest.mark.usefixtures("namespace")
def test_it_refuses_and_warns(cluster: Cluster, reinstalled: Release) -> None:
    upgrade(cluster, reinstalled, "--set operator.webhook.enabled=true --wait --timeout 2m")
    broken = {"chainCNIJsonData": ['{"type"']}
    refusal = eventually("it answers", lambda: _refusal(_apply(cluster, broken, dry=True)), 30)
    assert "spec.chainCNIJsonData[0]" in refusal
    warned = _apply(cluster, {"coordinator": {"vethLinkAddress": "8.8.8.8"}})
    assert "created" in warned
    assert "Warning:" in warned
    assert "8.8.8.8" in warned
    nodes = len(cluster.items("nodes"))
    where = f"any of the {nodes} nodes that report" if nodes > 1 else "the only node that reports"
    eventually(
        "every node has reported its interfaces",
        lambda: (
            f'macvlan.master[0]: interface "eth9" is not on {where}' in _missed(cluster, "eth9")
        ),
        60,
    )
    assert _missed(cluster, MASTER) == ""
