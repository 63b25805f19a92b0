"""whereabouts on the testbed, as its users have it: its CRDs, its DaemonSet, its scripts.

Program, controller, scripts and manifests are those of its Go module; the image is made here, of
busybox in place of Alpine. The DaemonSet is changed in two things: the image's name, and that it
is not privileged, for which root has no capabilities on many machines; it needs none.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from testbed import cache, gobuild, images, paths
from testbed.cluster import Cluster
from testbed.extras import asked_for
from testbed.images.archive import Image, write
from testbed.progress import Progress

VARIABLE = "TESTBED_IPAM"
"""The environment variable that asks for it."""

WHEREABOUTS = "whereabouts"
NAMESPACE = "kube-system"
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
_REPOSITORY = "localhost/spidercoordinator-testbed/whereabouts"
_TIMEOUT = "2m"


def wanted() -> bool:
    """Tell whether `TESTBED_IPAM` asks for whereabouts.

    Raises:
        TestbedError: it names an IPAM that there is none of here.
    """
    return asked_for(VARIABLE, WHEREABOUTS, without="host-local alone")


@dataclass(frozen=True)
class Whereabouts:
    """What is built of it: the image's archive and name, and its manifests."""

    folder: Path
    tag: str

    @property
    def archive(self) -> Path:
        """The image, as a docker-archive."""
        return self.folder / "image.tar"

    @property
    def image(self) -> str:
        """The name under which the image is loaded."""
        return f"{_REPOSITORY}:{self.tag}"

    def manifests(self) -> list[dict[str, Any]]:
        """Return all objects to create, CRDs first."""
        texts = [(self.folder / name).read_text() for name in (*_CRDS, _DAEMON_SET)]
        return [
            _adapted(each, self.image)
            for text in texts
            for each in yaml.safe_load_all(text)
            if each is not None
        ]


def _adapted(manifest: dict[str, Any], image: str) -> dict[str, Any]:
    if manifest["kind"] == "DaemonSet":
        [container] = manifest["spec"]["template"]["spec"]["containers"]
        container["image"] = image
        del container["securityContext"]["privileged"]
    return manifest


def ensure() -> Whereabouts:
    """Return what is built; build what is missing.

    Raises:
        TestbedError: Go is missing or a build fails.
    """
    inputs = [MODULE / "go.mod", MODULE / "go.sum", Path(__file__), images.busybox()]
    tag = cache.key_of(*inputs, gobuild.toolchain())
    return Whereabouts(cache.entry(WHEREABOUTS, tag, lambda folder: _build(folder, tag)), tag)


def _build(folder: Path, tag: str) -> None:
    for name, package in _PROGRAMS.items():
        gobuild.build(MODULE, package, folder / name, _LDFLAGS, name)
    source = gobuild.module_source(MODULE, _PATH)
    for name in (*_CRDS, _DAEMON_SET):
        # Not copy: Go keeps modules read-only, and an entry that is pruned one day must not be.
        shutil.copyfile(source / "doc" / "crds" / name, folder / name)
    programs = {name: (folder / name).read_bytes() for name in _PROGRAMS}
    scripts = {name: (source / "script" / name).read_bytes() for name in _SCRIPTS}
    image = Image(
        name=Whereabouts(folder, tag).image,
        command=("/install-cni.sh",),
        files={"bin/busybox": images.busybox().read_bytes(), **programs, **scripts},
        links={f"bin/{name}": "busybox" for name in images.applets() if name != "busybox"},
        folders=("tmp",),
    )
    write(image, folder / "image.tar")
    for name in _PROGRAMS:
        (folder / name).unlink()


def install(cluster: Cluster, built: Whereabouts, progress: Progress) -> None:
    """Load the image into every node, apply the manifests, and wait for the pods.

    Raises:
        TestbedError: containerd or the API server refuses something, or a pod does not come up.
    """
    cluster.import_image(built.archive)
    cluster.kubectl("apply", "--filename=-", stdin=yaml.safe_dump_all(built.manifests()))
    rollout = ("rollout", "status", "daemonset", WHEREABOUTS, f"--namespace={NAMESPACE}")
    cluster.kubectl(*rollout, f"--timeout={_TIMEOUT}")
    progress.say(f"{WHEREABOUTS} runs in namespace {NAMESPACE}")
