"""What is changed in the manifests of the projects whose agents the testbed runs."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed import agents, calico, flannel, ipam, kube_router
from testbed.agents import Agents, Project

PUBLISHED = Path(__file__).parents[1] / "discovery" / "manifests"


def _objects(project: Project, folder: Path, text: str) -> dict[str, Any]:
    """The objects that are created, by kind, where a project's first file is `text`."""
    for name in project.manifests:
        (folder / name).write_text("")
    (folder / project.manifests[0]).write_text(text)
    return {each["kind"]: each for each in Agents(project, folder, "1a2b").objects()}


def _daemon_set(container: dict[str, Any]) -> str:
    pod = {"containers": [{"image": "far/away", **container}]}
    return yaml.safe_dump({"kind": "DaemonSet", "spec": {"template": {"spec": pod}}})


@pytest.mark.parametrize(
    ("project", "published"),
    [(flannel.PROJECT, "flannel.yaml"), (kube_router.PROJECT, "kube-router.yaml")],
    ids=["flannel", "kube-router"],
)
def test_agents_run_of_the_image_that_is_loaded(
    tmp_path: Path, project: Project, published: str
) -> None:
    found = _objects(project, tmp_path, (PUBLISHED / published).read_text())["DaemonSet"]
    metadata = found["metadata"]
    assert (metadata["namespace"], metadata["name"]) == (project.namespace, project.daemon_set)
    containers = agents.containers(found)
    image = f"localhost/spidercoordinator-testbed/{project.name}:1a2b"
    assert {each["image"] for each in containers} == {image}
    assert not any("imagePullPolicy" in each for each in containers)
    assert "initContainers" in found["spec"]["template"]["spec"]


def test_flannels_configuration_has_a_version_that_its_plugin_knows(tmp_path: Path) -> None:
    text = (PUBLISHED / "flannel.yaml").read_text()
    changed = _objects(flannel.PROJECT, tmp_path, text)["ConfigMap"]["data"]
    before = next(each for each in yaml.safe_load_all(text) if each["kind"] == "ConfigMap")["data"]
    expected = {**json.loads(before["cni-conf.json"]), "cniVersion": "0.3.1"}
    assert json.loads(changed["cni-conf.json"]) == expected
    assert changed["net-conf.json"] == before["net-conf.json"]


def test_kube_router_needs_no_privileges_and_no_folder_of_modules(tmp_path: Path) -> None:
    text = (PUBLISHED / "kube-router.yaml").read_text()
    assert "privileged: true" in text
    assert "path: /lib/modules" in text
    found = _objects(kube_router.PROJECT, tmp_path, text)["DaemonSet"]
    assert "/lib/modules" not in str(found)
    pod = found["spec"]["template"]["spec"]
    [agent] = pod["containers"]
    assert agent["securityContext"] == {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}}
    volumes = {each["name"] for each in pod["volumes"]}
    mounts = [mount for each in agents.containers(found) for mount in each["volumeMounts"]]
    assert {each["name"] for each in mounts} == volumes


def _calico(privileged: dict[str, Any], *volumes: str) -> dict[str, Any]:
    """A DaemonSet as Calico's, with the volumes that are named."""
    mounts = [{"name": each, "mountPath": f"/{each}"} for each in volumes]
    container = {"image": "far/away", "securityContext": privileged, "volumeMounts": mounts}
    pod = {
        "initContainers": [{"name": name, **container} for name in ("install-cni", "mount-bpffs")],
        "containers": [{"name": "calico-node", **container}],
        "volumes": [{"name": each, "hostPath": {"path": f"/{each}"}} for each in volumes],
    }
    meta = {"name": "calico-node", "namespace": "kube-system"}
    return {"kind": "DaemonSet", "metadata": meta, "spec": {"template": {"spec": pod}}}


def test_calico_needs_no_privileges_and_nothing_of_ebpf(tmp_path: Path) -> None:
    published = _calico({"privileged": True}, "cni-bin-dir", "bpffs", "sys-fs", "nodeproc")
    pod = _objects(calico.PROJECT, tmp_path, yaml.safe_dump(published))["DaemonSet"]["spec"]
    pod = pod["template"]["spec"]
    assert [each["name"] for each in pod["initContainers"]] == ["install-cni"]
    assert [each["name"] for each in pod["volumes"]] == ["cni-bin-dir"]
    for each in (*pod["initContainers"], *pod["containers"]):
        assert [mount["name"] for mount in each["volumeMounts"]] == ["cni-bin-dir"]
        added = ["NET_ADMIN", "NET_RAW", "SYS_ADMIN"]
        assert each["securityContext"] == {"capabilities": {"add": added}}


def test_of_calico_what_cleans_up_after_nodes_is_left_out() -> None:
    names = ("calico-config", "calico-kube-controllers", "calico-node")
    objects = [{"kind": "Deployment", "metadata": {"name": name}} for name in names]
    left = calico.kept("---\n" + yaml.safe_dump_all(objects))
    assert [each["metadata"]["name"] for each in left] == ["calico-config", "calico-node"]


@pytest.mark.parametrize("container", [{}, {"securityContext": {"privileged": True}}])
def test_whereabouts_needs_no_privileges(tmp_path: Path, container: dict[str, Any]) -> None:
    text = _daemon_set(container)
    found = _objects(ipam.PROJECT, tmp_path, text)["DaemonSet"]
    [only] = agents.containers(found)
    assert "privileged" not in str(only)
