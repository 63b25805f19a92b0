"""The values files for distributions: each renders, and a real API server takes what it renders."""

import pytest
import yaml

from tests.chart.helm import CHART, Helm, Object, pick, pod_templates

PRESETS = sorted((CHART / "presets").glob("*.yaml"))
DIRECTORIES = {
    "gke": "/home/kubernetes/bin",
    "k3s": "/var/lib/rancher/k3s/data/cni",
    "microk8s": "/var/snap/microk8s/current/opt/cni/bin",
    "openshift": "/var/lib/cni/bin",
    "rke2": "/opt/cni/bin",
    "talos": "/opt/cni/bin",
}
"""Where each distribution's container runtime looks for plugins, as its own documents say."""


def preset(name: str) -> Object:
    values: Object = yaml.safe_load((CHART / "presets" / f"{name}.yaml").read_text())
    return values


def rendered(helm: Helm, name: str) -> list[Object]:
    return helm.template(preset(name))


def test_there_is_one_for_each_distribution() -> None:
    assert [path.stem for path in PRESETS] == sorted(DIRECTORIES)


@pytest.mark.parametrize("name", DIRECTORIES)
def test_plugins_go_where_the_runtime_looks(helm: Helm, name: str) -> None:
    volumes = pod_templates(rendered(helm, name))["DaemonSet"]["spec"]["volumes"]
    [path] = [each["hostPath"]["path"] for each in volumes if each["name"] == "cni-bin"]
    assert path == DIRECTORIES[name]
    assert f"| `presets/{name}.yaml` | `{path}` |" in (CHART / "README.md").read_text()


@pytest.mark.parametrize("name", DIRECTORIES)
def test_the_source_is_told(name: str) -> None:
    assert "\n# Source: https://" in (CHART / "presets" / f"{name}.yaml").read_text()


@pytest.mark.parametrize("name", DIRECTORIES)
def test_the_api_server_takes_every_object(with_kinds: Helm, helm: Helm, name: str) -> None:
    objects = rendered(helm, name)
    text = yaml.safe_dump_all(objects)
    told = with_kinds.kubectl(
        "apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=text
    )
    assert told.stdout.count("(server dry run)") == len(objects)


def test_openshift_lets_the_pods_have_what_they_ask_for(helm: Helm) -> None:
    objects = rendered(helm, "openshift")
    given = {
        subject["name"]: thing["roleRef"]["name"].rpartition(":")[2]
        for thing in objects
        if thing["kind"] == "RoleBinding" and thing["metadata"]["name"].endswith("-scc")
        for subject in thing["subjects"]
    }
    accounts = {
        kind: pod["spec"]["serviceAccountName"] for kind, pod in pod_templates(objects).items()
    }
    assert {kind: given[account] for kind, account in accounts.items()} == {
        "DaemonSet": "privileged",
        "Deployment": "nonroot-v2",
        "Job": "nonroot-v2",
    }


def test_gke_admits_the_priority_classes_of_all_pods(helm: Helm) -> None:
    objects = rendered(helm, "gke")
    [scope] = pick(objects, "ResourceQuota")["spec"]["scopeSelector"]["matchExpressions"]
    used = {pod["spec"]["priorityClassName"] for pod in pod_templates(objects).values()}
    assert used == set(scope["values"])
