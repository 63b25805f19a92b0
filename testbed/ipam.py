"""whereabouts on the testbed, as its users have it: its CRDs, its DaemonSet, its scripts.

Program, controller, scripts and manifests are those of its Go module; the image is made here, of
busybox in place of Alpine. The DaemonSet is changed in two things: the image's name, and that it
is not privileged, for which root has no capabilities on many machines; it needs none.
"""

import shutil
from pathlib import Path

from testbed import agents, cache, gobuild, images, paths
from testbed.agents import Agents, Manifest, Project
from testbed.extras import asked_for
from testbed.images.archive import Image, write

VARIABLE = "TESTBED_IPAM"
"""The environment variable that asks for it."""

WHEREABOUTS = "whereabouts"
MODULE = paths.SOURCES / "whereabouts"
"""The Go module that pins it."""

_PATH = "github.com/k8snetworkplumbingwg/whereabouts"
_PROGRAMS = {"whereabouts": f"{_PATH}/cmd", "ip-control-loop": f"{_PATH}/cmd/controlloop"}
_SCRIPTS = ("install-cni.sh", "lib.sh", "token-watcher.sh")
_CRDS = (
    "whereabouts.cni.cncf.io_ippools.yaml",
    "whereabouts.cni.cncf.io_overlappingrangeipreservations.yaml",
    "whereabouts.cni.cncf.io_nodeslicepools.yaml",
)
_DAEMON_SET = "daemonset-install.yaml"
_LDFLAGS = ("-s", "-w")


def wanted() -> bool:
    """Tell whether `TESTBED_IPAM` asks for whereabouts.

    Raises:
        TestbedError: it names an IPAM that there is none of here.
    """
    return asked_for(VARIABLE, WHEREABOUTS, without="host-local alone")


def adapt(manifest: Manifest) -> None:
    """Take away the DaemonSet's privileges."""
    if manifest["kind"] == "DaemonSet":
        for container in agents.containers(manifest):
            container.get("securityContext", {}).pop("privileged", None)


PROJECT = Project(
    name=WHEREABOUTS,
    namespace="kube-system",
    daemon_set=WHEREABOUTS,
    manifests=(*_CRDS, _DAEMON_SET),
    adapt=adapt,
)


def ensure() -> Agents:
    """Return what is built; build what is missing.

    Raises:
        TestbedError: Go is missing or a build fails.
    """
    inputs = [MODULE / "go.mod", MODULE / "go.sum", Path(__file__), images.busybox()]
    tag = cache.key_of(*inputs, gobuild.toolchain())
    return PROJECT.ensure(tag, lambda folder: _build(folder, tag))


def _build(folder: Path, tag: str) -> None:
    for name, package in _PROGRAMS.items():
        gobuild.build(MODULE, package, folder / name, _LDFLAGS, name)
    source = gobuild.module_source(MODULE, _PATH)
    for name in PROJECT.manifests:
        # Not copy: Go keeps modules read-only, and an entry that is pruned one day must not be.
        shutil.copyfile(source / "doc" / "crds" / name, folder / name)
    programs = {name: (folder / name).read_bytes() for name in _PROGRAMS}
    scripts = {name: (source / "script" / name).read_bytes() for name in _SCRIPTS}
    image = Image(
        name=PROJECT.image(tag),
        command=("/install-cni.sh",),
        files={"bin/busybox": images.busybox().read_bytes(), **programs, **scripts},
        links={f"bin/{name}": "busybox" for name in images.applets() if name != "busybox"},
        folders=("tmp",),
    )
    write(image, agents.archive(folder))
    for name in _PROGRAMS:
        (folder / name).unlink()
