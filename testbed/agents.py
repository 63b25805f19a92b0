"""A real project's agents, which its own manifest puts on every node by a DaemonSet.

The project's programs and manifest are those of its Go module, the image is made here. So
flannel, kube-router and whereabouts are built, loaded and installed alike; what differs, their
own modules say.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from testbed import cache, gobuild
from testbed.cluster import Cluster
from testbed.images.base import ensure_base

Manifest = dict[str, Any]

_HUB = "localhost/spidercoordinator-testbed"
_ARCHIVE = "image.tar"
_TIMEOUT = "2m"


@dataclass(frozen=True)
class Project:
    """What of a project's manifest has to be known here.

    Attributes:
        name: of the project, its image and its folder in the cache.
        namespace: where its DaemonSet is.
        daemon_set: the DaemonSet's name.
        manifests: the files with its objects, in the order in which these are created.
        adapt: changes an object of these in place, but for the image's name.
        by_node_ranges: whether it gives pods addresses of their nodes' `spec.podCIDR`, with routes
            to all nodes from the beginning.
    """

    name: str
    namespace: str
    daemon_set: str
    manifests: tuple[str, ...]
    adapt: Callable[[Manifest], None]
    by_node_ranges: bool = True

    def image(self, tag: str) -> str:
        """Return the name under which the image is loaded."""
        return f"{_HUB}/{self.name}:{tag}"

    def ensure(self, tag: str, build: Callable[[Path], None]) -> "Agents":
        """Return what is built under a tag; call `build` with an empty folder when it is absent.

        `build` writes the manifests' files, and the image to `archive` of that folder.
        """
        return Agents(self, cache.entry(self.name, tag, build), tag)


@dataclass(frozen=True)
class Agents:
    """What is built of a project: the image and its manifests."""

    project: Project
    folder: Path
    tag: str

    def objects(self) -> list[Manifest]:
        """Return all objects to create."""
        texts = [(self.folder / name).read_text() for name in self.project.manifests]
        return [self._adapted(each) for text in texts for each in yaml.safe_load_all(text) if each]

    def _adapted(self, manifest: Manifest) -> Manifest:
        if manifest["kind"] == "DaemonSet":
            for container in containers(manifest):
                container["image"] = self.project.image(self.tag)
                # There is no registry that the runtime could ask for a newer one.
                container.pop("imagePullPolicy", None)
        self.project.adapt(manifest)
        return manifest

    def install(self, cluster: Cluster) -> None:
        """Load the image into every node, create the objects, and wait for the pods.

        Raises:
            TestbedError: containerd or the API server refuses something, or a pod does not come up.
        """
        cluster.import_image(archive(self.folder))
        cluster.kubectl("apply", "--filename=-", stdin=yaml.safe_dump_all(self.objects()))
        named = (f"daemonset/{self.project.daemon_set}", f"--namespace={self.project.namespace}")
        cluster.kubectl("rollout", "status", *named, f"--timeout={_TIMEOUT}")


def built(
    project: Project, module: Path, program: Path, build: Callable[[Path, str, str], None]
) -> Agents:
    """Return what is built of a project's Go module; build it when it or our own code differs.

    Args:
        project: whose.
        module: the folder that pins the module, with all else that goes into the image.
        program: our own code that builds it.
        build: is called with an empty folder, the tag, and the name of the base image.

    Raises:
        TestbedError: Go is missing or a build fails.
    """
    base = ensure_base()
    sources = [path for path in sorted(module.iterdir()) if path.is_file()]
    tag = cache.key_of(*sources, program, base, gobuild.toolchain())
    return project.ensure(tag, lambda folder: build(folder, tag, base))


def take_privileges(container: Manifest, capabilities: Iterable[str]) -> None:
    """Give a privileged container capabilities in place of that, and others nothing."""
    if container.get("securityContext", {}).pop("privileged", False):
        container["securityContext"]["capabilities"] = {"add": list(capabilities)}


def archive(folder: Path) -> Path:
    """Return where the image lies in a folder of the cache, as a docker-archive."""
    return folder / _ARCHIVE


def containers(daemon_set: Manifest) -> list[Manifest]:
    """Return all containers of a DaemonSet's pods, those that run first included."""
    pod = daemon_set["spec"]["template"]["spec"]
    return [*pod.get("initContainers", ()), *pod["containers"]]
