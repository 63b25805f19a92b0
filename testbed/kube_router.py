"""kube-router as the testbed's cluster network: its own agent and manifest, routes by BGP.

The manifest is the release's for a cluster network with network policies and without a proxy for
Services, for kube-proxy is there. It is changed in the image, in capabilities in the place of
`privileged`, for which root has no capabilities on many machines, and in that it does not mount
the kernel's modules: the testbed loads them, and the machine may have no such folder.

The image leaves out what only its proxy runs, and the CNI plugins, which nodes have.
"""

import shutil
from pathlib import Path
from typing import Final

from testbed import agents, cni, gobuild, paths
from testbed.agents import Agents, Manifest, Project
from testbed.images import containerfile

_MODULE = paths.SOURCES / "kube-router"
_PATH = "github.com/cloudnativelabs/kube-router/v2"
_MANIFEST = "generic-kuberouter.yaml"
_LDFLAGS = ("-s", "-w")
_CAPABILITIES: Final = ("NET_ADMIN", "NET_RAW")
_MODULES: Final = "lib-modules"
"""The manifest's name for the volume with the kernel's modules."""


def adapt(manifest: Manifest) -> None:
    """Change the DaemonSet as the module says."""
    if manifest["kind"] != "DaemonSet":
        return
    for container in agents.containers(manifest):
        agents.take_privileges(container, _CAPABILITIES)
        container["volumeMounts"] = _without_modules(container["volumeMounts"])
    pod = manifest["spec"]["template"]["spec"]
    pod["volumes"] = _without_modules(pod["volumes"])


def _without_modules(named: list[Manifest]) -> list[Manifest]:
    return [each for each in named if each["name"] != _MODULES]


PROJECT: Final = Project(
    name=cni.KUBE_ROUTER,
    namespace="kube-system",
    daemon_set="kube-router",
    manifests=(_MANIFEST,),
    adapt=adapt,
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
    program, what = f"{_PATH}/cmd/kube-router", "kube-router (about 3 minutes)"
    gobuild.build(_MODULE, program, context / "kube-router", _LDFLAGS, what)
    source = gobuild.module_source(_MODULE, _PATH) / "daemonset" / _MANIFEST
    # Not copy: Go keeps modules read-only, and an entry that is pruned one day must not be.
    shutil.copyfile(source, folder / _MANIFEST)
    name, archive = PROJECT.image(tag), agents.archive(folder)
    containerfile.build(_MODULE / "Containerfile", context, name, archive, base)
    shutil.rmtree(context)
