"""Calico as the testbed's cluster network: its agent Felix, IPAM and CNI plugins, and manifest.

The manifest is the release's with VXLAN between subnets and routes within one, which needs no BGP
and so nothing of C. It is changed in capabilities in the place of `privileged`, for which root has
no capabilities on many machines, and in what only the data plane of eBPF has folders of the node
for. What cleans up after nodes that are gone (kube-controllers) is left out: none goes.
"""

import shutil
from pathlib import Path
from typing import Any, Final

import yaml

from testbed import agents, cni, gobuild, paths
from testbed.agents import Agents, Manifest, Project
from testbed.images import containerfile

_MODULE = paths.SOURCES / "calico"
_PATH = "github.com/projectcalico/calico"
_MANIFEST = "calico-vxlan.yaml"
_PROGRAMS: Final = {
    f"{_PATH}/node/cmd/calico-node": "calico-node (about 4 minutes)",
    f"{_PATH}/cni-plugin/cmd/calico": "Calico's CNI plugins",
    f"{_PATH}/cni-plugin/cmd/install": "what installs them",
}
_START: Final = "start-calico"
_LDFLAGS = ("-s", "-w")
_LEFT_OUT: Final = "calico-kube-controllers"
_CAPABILITIES: Final = ("NET_ADMIN", "NET_RAW", "SYS_ADMIN")
_INIT_OF_EBPF: Final = "mount-bpffs"
_VOLUMES_OF_EBPF: Final = {"lib-modules", "sys-fs", "bpffs", "nodeproc"}


def adapt(manifest: Manifest) -> None:
    """Change the DaemonSet as the module says."""
    if manifest["kind"] != "DaemonSet":
        return
    pod = manifest["spec"]["template"]["spec"]
    pod["initContainers"] = [
        each for each in pod["initContainers"] if each["name"] != _INIT_OF_EBPF
    ]
    pod["volumes"] = _without_ebpf(pod["volumes"])
    for container in agents.containers(manifest):
        container["volumeMounts"] = _without_ebpf(container["volumeMounts"])
        agents.take_privileges(container, _CAPABILITIES)


def _without_ebpf(named: list[Manifest]) -> list[Manifest]:
    return [each for each in named if each["name"] not in _VOLUMES_OF_EBPF]


PROJECT: Final = Project(
    name=cni.CALICO,
    namespace="kube-system",
    daemon_set="calico-node",
    manifests=(_MANIFEST,),
    adapt=adapt,
    by_node_ranges=False,
)


def ensure() -> Agents:
    """Return what is built; build what is missing.

    Raises:
        TestbedError: Go is missing or a build fails.
    """
    return agents.built(PROJECT, _MODULE, Path(__file__), _build)


def _build(folder: Path, tag: str, base: str) -> None:
    context = folder / "context"
    context.mkdir()
    for program, what in _PROGRAMS.items():
        gobuild.build(_MODULE, program, context / program.rpartition("/")[2], _LDFLAGS, what)
    shutil.copyfile(_MODULE / _START, context / _START)
    published = gobuild.module_source(_MODULE, _PATH) / "manifests" / _MANIFEST
    (folder / _MANIFEST).write_text(yaml.safe_dump_all(kept(published.read_text())))
    name, archive = PROJECT.image(tag), agents.archive(folder)
    containerfile.build(_MODULE / "Containerfile", context, name, archive, base)
    shutil.rmtree(context)


def kept(published: str) -> list[dict[str, Any]]:
    """Return the objects of the release's manifest that are created."""
    objects = (each for each in yaml.safe_load_all(published) if each)
    return [each for each in objects if each["metadata"]["name"] != _LEFT_OUT]
