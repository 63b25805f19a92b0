"""In a namespace that Istio injects no pod of the chart gets a sidecar; a Job would never end."""

import json
from collections.abc import Iterator

import pytest
import yaml

from testbed.images import BOX
from tests.e2e.cluster import Object, eventually
from tests.mesh.conftest import Mesh

INJECTED = "mesh-injected"
PARTS = {"operator", "installer", "uninstall", "test"}


@pytest.fixture
def injected(mesh: Mesh) -> Iterator[Mesh]:
    """A namespace whose pods the injector looks at."""
    labels = {"istio-injection": "enabled", "pod-security.kubernetes.io/enforce": "privileged"}
    meta = {"name": INJECTED, "labels": labels}
    mesh.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    eventually(
        "it has a ServiceAccount", lambda: mesh.cluster.get("serviceaccount", "default", INJECTED)
    )
    yield mesh
    mesh.cluster.delete("namespace", INJECTED)


def containers(mesh: Mesh, pod: Object) -> set[str]:
    """What the pod would have there, after every webhook."""
    template = {
        "metadata": pod["metadata"],
        "spec": {**pod["spec"], "serviceAccountName": "default"},
    }
    meta = {**template["metadata"], "name": "would-be", "namespace": INJECTED}
    wanted = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}
    text = f"kubectl create --dry-run=server -o json -f - <<'END'\n{json.dumps(wanted)}\nEND"
    found: Object = json.loads(mesh.cluster.shell.output(text))["spec"]
    return {e["name"] for key in ("containers", "initContainers") for e in found.get(key, ())}


def pods(mesh: Mesh) -> dict[str, Object]:
    """The pods of the release by their part, those of its hooks as well."""
    [release] = [
        each
        for each in json.loads(mesh.cluster.shell.output("helm list --all-namespaces -o json"))
        if each["chart"].startswith("spidercoordinator-")
    ]
    where = f"{release['name']} -n {release['namespace']}"
    text = "\n---\n".join(
        mesh.cluster.shell.output(f"helm get {what} {where}") for what in ("manifest", "hooks")
    )
    objects = [each for each in yaml.safe_load_all(text) if each]
    made = [e if e["kind"] == "Pod" else e.get("spec", {}).get("template") for e in objects]
    return {
        each["metadata"]["labels"]["app.kubernetes.io/component"]: each for each in made if each
    }


def test_no_pod_of_the_chart_is_injected(injected: Mesh) -> None:
    bare = {"metadata": {}, "spec": {"containers": [{"name": "bare", "image": BOX}]}}
    assert "istio-proxy" in containers(injected, bare)
    found = pods(injected)
    assert set(found) == PARTS
    [runner] = found["test"]["spec"]["containers"]
    [told] = [each for each in runner["args"] if each.startswith("--pod=")]
    found["attached"] = json.loads(told.partition("=")[2])
    for part, pod in found.items():
        spec = pod["spec"]
        own = {e["name"] for key in ("containers", "initContainers") for e in spec.get(key, ())}
        assert containers(injected, pod) == own, part
