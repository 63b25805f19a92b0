"""The doctor where people run it: in the installer's pod, and in the operator's."""

import json
import re
import sys
from pathlib import Path

from testbed.demo.shell import Result
from tests.e2e.cluster import Cluster, Object, Release, eventually
from tests.e2e.conftest import MakeNetwork, MakePod, Mesh
from tests.e2e.manifests import NAMESPACE

INSTALLER = "app.kubernetes.io/component=installer"
OPERATOR = "app.kubernetes.io/component=operator"
COUNT = re.compile(r"^doctor: (\d+) errors?, (\d+) warnings?, ", re.MULTILINE)


def examine(cluster: Cluster, kind: str, label: str, command: str) -> Result:
    """Run a command in the first pod of a workload of the chart."""
    [thing, *_] = cluster.items(kind, f"--all-namespaces --selector={label}")
    meta = thing["metadata"]
    return cluster.shell.run(
        f"kubectl exec -n {meta['namespace']} {kind}/{meta['name']} -- {command}"
    )


def test_of_a_node_with_pods(
    cluster: Cluster, synced: Release, network: MakeNetwork, pod: MakePod
) -> None:
    del synced
    pod("examined", network("examined"))
    result = examine(cluster, "daemonset", INSTALLER, "/coordinator-install doctor")
    assert result.ok, result.output
    found = COUNT.search(result.output)
    assert found is not None, result.output
    assert found[1] == "0", result.output
    # The container has no rights, and says what it cannot see for that.
    assert "UNSEEN   pods' own routes" in result.output


def test_of_the_cluster_with_the_operators_rights(cluster: Cluster, synced: Release) -> None:
    del synced

    # Networks of other tests may be on their way out.
    def healthy() -> bool:
        result = examine(cluster, "deployment", OPERATOR, "spidercoordinator doctor")
        found = COUNT.search(result.output)
        return result.ok and found is not None and found[1] == "0"

    eventually("the doctor finds no error", healthy, 30)


def test_of_all_nodes_from_a_persons_machine(
    cluster: Cluster, synced: Release, network: MakeNetwork, pod: MakePod, kubeconfig: Path
) -> None:
    del synced
    pod("examined-too", network("examined-too"))
    command = Path(sys.executable).with_name("kubectl-spidercoordinator")
    look = f"{command} doctor --kubeconfig={kubeconfig} -o json"
    [alone, all_nodes] = [
        json.loads(cluster.shell.run(f"{look} {option}").output) for option in ("", "--all-nodes")
    ]
    nodes = [each["metadata"]["name"] for each in cluster.items("nodes", "")]
    found = [each for each in all_nodes["findings"] if each not in alone["findings"]]
    subject = f"{'node' if len(nodes) == 1 else 'nodes'} {', '.join(sorted(nodes))}: pods' own"
    assert any(each["subject"].startswith(subject) for each in found), all_nodes
    assert not [each for each in found if each["level"] == "ERROR"], all_nodes


def explained(cluster: Cluster, kubeconfig: Path, name: str) -> Object:
    """What `kubectl spidercoordinator explain` says of a pod, on a page and as JSON."""
    command = Path(sys.executable).with_name("kubectl-spidercoordinator")
    look = f"{command} explain {name} -n {NAMESPACE} --kubeconfig={kubeconfig}"
    shown = cluster.shell.run(look)
    print(shown.output)  # noqa: T201 - the page itself, for whom the test fails
    said: Object = json.loads(cluster.shell.run(f"{look} -o json").output)
    assert all(each["observed"] in shown.output for each in said["findings"])
    return said | {"page": shown.output}


def test_a_pod_is_explained_and_what_is_taken_from_it_is_missed(
    network: MakeNetwork, pod: MakePod, kubeconfig: Path, mesh: Mesh
) -> None:
    cluster = mesh.cluster
    setting = {"vethLinkAddress": "169.254.100.7"}
    pod("explained", network("explained", coordinator=setting))
    said = explained(cluster, kubeconfig, "explained")
    assert said["counts"]["ERROR"] == said["counts"]["UNSEEN"] == 0, said["page"]
    assert "veth0" in said["page"]
    assert "169.254.100.7" in said["page"]
    assert said["report"]["redirects"] == []

    mesh.take_in("explained")
    said = explained(cluster, kubeconfig, "explained")
    assert said["counts"]["ERROR"] == 0, said["page"]
    assert {each["kind"] for each in said["report"]["redirects"]} == {"REDIRECT"}

    pod("without", network("without", coordinator={"vethLinkAddress": "none"}))
    mesh.take_in("without")
    said = explained(cluster, kubeconfig, "without")
    [finding] = [each for each in said["findings"] if each["level"] == "ERROR"]
    assert finding["subject"] == "veth0"
    assert "has no IPv4 address: the kernel drops what" in finding["observed"]
