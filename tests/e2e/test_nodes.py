"""What nodes have is known within minutes of a change, on real nodes."""

import json
from collections.abc import Iterator

import pytest

from tests.e2e.cluster import NETWORKS, Cluster, Object, Release, eventually
from tests.e2e.conftest import MakeNetwork, wait_ready
from tests.e2e.manifests import NAMESPACE, PLUGINS, plugins_shell

SHELL = "node-plugins"
PLUGIN = "sbr-of-nobody"
WITHIN = 240
"""Seconds: an installer looks every minute, and the operator reads its log every few seconds."""


@pytest.fixture
def files(cluster: Cluster, node: str, namespace: None) -> Iterator[None]:
    """A pod that sees the node's folder of CNI plugins, which is as before afterwards."""
    del namespace
    cluster.apply(plugins_shell(SHELL, node))
    wait_ready(cluster, SHELL)
    yield
    cluster.execute(SHELL, f"rm -f {PLUGINS}/{PLUGIN}", NAMESPACE)
    cluster.delete("pod", SHELL, NAMESPACE)


def told(cluster: Cluster, network: str, status: str, reason: str) -> Object:
    """Wait until the nodes are told of so; gives the condition."""

    def look() -> Object | None:
        found = cluster.get(NETWORKS, network, NAMESPACE) or {}
        for each in found.get("status", {}).get("conditions", ()):
            if each["type"] == "NodesReady" and (each["status"], each["reason"]) == (
                status,
                reason,
            ):
                return dict(each)
        return None

    return eventually(f"{network} is NodesReady={status}, {reason}", look, WITHIN)


def test_a_network_says_what_nodes_lack_and_follows_their_changes(
    cluster: Cluster, release: Release, network: MakeNetwork, files: None, node: str
) -> None:
    del files
    network("chained", chainCNIJsonData=[f'{{"type":"{PLUGIN}"}}'])
    network("elsewhere", cniType="macvlan", macvlan={"master": ["nowhere9"]})
    network("served")
    missing = told(cluster, "chained", "False", "PluginMissing")["message"]
    assert f'CNI plugin "{PLUGIN}" is not on' in missing
    assert node in missing
    assert '"nowhere9"' in told(cluster, "elsewhere", "False", "MasterMissing")["message"]
    told(cluster, "served", "True", "AllNodes")
    ready = next(
        each
        for each in (cluster.get(NETWORKS, "chained", NAMESPACE) or {})["status"]["conditions"]
        if each["type"] == "Ready"
    )
    assert (ready["status"], ready["reason"]) == ("False", "PluginMissing")

    command = f"cp {PLUGINS}/coordinator {PLUGINS}/{PLUGIN}"
    assert cluster.execute(SHELL, command, NAMESPACE).ok
    reason = "AllNodes" if len(cluster.items("nodes")) == 1 else "SomeNodes"
    told(cluster, "chained", "True", reason)

    # Running the node's plugins for their versions has cost no installer its life.
    selector = f"-l app.kubernetes.io/component=installer -n {release.namespace}"
    for each in cluster.items("pods", selector):
        assert [c["restartCount"] for c in each["status"]["containerStatuses"]] == [0]
        log = cluster.shell.output(
            f"kubectl logs -n {release.namespace} {each['metadata']['name']} --all-containers"
        )
        report = json.loads(log.split("node report ")[-1].splitlines()[0])
        speakers = {name for names in report["speaks"].values() for name in names}
        assert {"coordinator", "ifacer"} <= speakers <= {*report["plugins"]}
