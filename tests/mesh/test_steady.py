"""Traffic that goes on while pods, the operator and the release change: no request is lost."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.e2e.cluster import Object, Release, eventually
from tests.e2e.conftest import CHART
from tests.mesh import manifests
from tests.mesh.cells import ADDRESS, INIT_CONTAINER, REDIRECT, UNDERLAY, Cell
from tests.mesh.conftest import Mesh
from tests.mesh.manifests import NAMESPACE, STRICT_PORT

_NAME = "steady"
_CELL = Cell(REDIRECT, INIT_CONTAINER, UNDERLAY, ADDRESS)
# Until a stop is asked for, one request after the other, each with a line of what became of it.
_LOOP = """\
rm -f /tmp/stop; : >/tmp/good; : >/tmp/bad
while [ ! -e /tmp/stop ]; do
  if fetch -timeout 10s http://steady/ >/tmp/last 2>&1
  then echo . >>/tmp/good
  else cat /tmp/last >>/tmp/bad
  fi
done >/dev/null 2>&1 &"""


def _deployment(node: str) -> Object:
    pod = manifests.application(_CELL, node)
    pod["metadata"]["labels"]["app"] = _NAME
    pod["spec"]["terminationGracePeriodSeconds"] = 10
    # As a server that finishes what it has begun: it goes on until its time is over.
    command = f"trap '' TERM; redirect-listener {STRICT_PORT}; true"
    pod["spec"]["containers"][0]["command"] = ["sh", "-c", command]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": _NAME, "namespace": NAMESPACE},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": _NAME}},
            "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {
                "metadata": {k: pod["metadata"][k] for k in ("labels", "annotations")},
                "spec": pod["spec"],
            },
        },
    }


@dataclass(frozen=True)
class Traffic:
    """Requests that a client of the mesh makes without a pause."""

    mesh: Mesh

    def answered(self) -> int:
        return int(self.mesh.execute("client", "wc -l </tmp/good"))

    def flows(self, more: int = 20) -> None:
        """Wait for so many more answers."""
        before = self.answered()
        eventually(f"{more} more answers", lambda: self.answered() >= before + more, 60)

    def lost(self) -> str:
        return self.mesh.execute("client", "cat /tmp/bad")


@pytest.fixture
def traffic(mesh: Mesh, applications: dict[str, Object]) -> Iterator[Traffic]:
    del applications
    mesh.apply(_deployment(mesh.home), *manifests.services(_NAME))
    _roll_out(mesh, f"deployment/{_NAME} -n {NAMESPACE}")
    # The client's proxy is told of the new endpoints in its own time.
    eventually("an answer", lambda: "answered-by" in _once(mesh), 60)
    mesh.execute("client", _LOOP)
    found = Traffic(mesh)
    found.flows()
    yield found
    mesh.execute("client", "touch /tmp/stop")
    mesh.cluster.delete("deployment", _NAME, NAMESPACE)


def _once(mesh: Mesh) -> str:
    return mesh.execute("client", "fetch http://steady/ 2>&1 || true")


def _roll_out(mesh: Mesh, what: str) -> None:
    mesh.cluster.shell.output(f"kubectl rollout status {what} --timeout=150s")


def _release(mesh: Mesh) -> Release:
    releases = json.loads(mesh.cluster.shell.output("helm list --all-namespaces -o json"))
    [found] = [each for each in releases if each["chart"].startswith(f"{CHART.name}-")]
    return Release(found["name"], found["namespace"])


def _replace_pods(mesh: Mesh) -> None:
    mesh.cluster.shell.output(f"kubectl rollout restart deployment/{_NAME} -n {NAMESPACE}")
    _roll_out(mesh, f"deployment/{_NAME} -n {NAMESPACE}")


def _restart_operator(mesh: Mesh) -> None:
    namespace = _release(mesh).namespace
    mesh.cluster.shell.output(f"kubectl rollout restart deployment -n {namespace}")
    _roll_out(mesh, f"deployment -n {namespace}")


def _upgrade(mesh: Mesh) -> None:
    release = _release(mesh)
    before = mesh.cluster.shell.output(f"kubectl get pods -n {release.namespace} -o name").split()
    parts = ("operator", "installer")
    changed = ",".join(f"{part}.podAnnotations.upgraded=again" for part in parts)
    mesh.cluster.shell.output(
        f"helm upgrade {release.name} {CHART} -n {release.namespace} --reuse-values "
        f"--set-string {changed} --wait --timeout 2m"
    )
    _roll_out(mesh, f"daemonset -n {release.namespace}")
    after = mesh.cluster.shell.output(f"kubectl get pods -n {release.namespace} -o name").split()
    assert set(before) != set(after)
    mesh.cluster.shell.output(f"helm rollback {release.name} -n {release.namespace} --wait")


@pytest.mark.parametrize("change", [_replace_pods, _restart_operator, _upgrade])
def test_no_request_is_lost(mesh: Mesh, traffic: Traffic, change: Callable[[Mesh], None]) -> None:
    change(mesh)
    traffic.flows()
    assert traffic.lost() == ""
