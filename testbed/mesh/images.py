"""The images of the mesh, as docker-archive files, built by buildah on the testbed's base."""

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from testbed import cache, paths
from testbed.images import containerfile
from testbed.images.base import ensure_base
from testbed.mesh import programs

HUB = "localhost/spidercoordinator-testbed/istio"
"""What the images' names begin with: Istio's chart value `global.hub`."""

TARGETS = ("coredns", "pilot", "proxyv2", "install-cni")
"""The targets of the Containerfile, which are also the last part of the images' names."""

_CONTAINERFILE = paths.SOURCES / "mesh" / "Containerfile"
_FILES = (
    *("coredns", "pilot-discovery", "pilot-agent", "install-cni", "istio-cni"),
    "envoy_bootstrap.json",
)


@dataclass(frozen=True)
class MeshImages:
    """The archives of the images, and the tag that is theirs: another one for other content."""

    archives: tuple[Path, ...]
    tag: str

    def name(self, target: str) -> str:
        """Return the name under which a target is loaded."""
        return f"{HUB}/{target}:{self.tag}"


def ensure() -> MeshImages:
    """Return the images; build what is missing.

    Raises:
        TestbedError: a tool is missing or a build fails; the text has its output.
    """
    istio, envoy, base = programs.ensure_istio(), programs.ensure_envoy(), ensure_base()
    tag = cache.key_of(_CONTAINERFILE, base, istio.name, envoy.parent.name)
    home = cache.entry("mesh", tag, lambda folder: _build(folder, tag, base, istio, envoy))
    return MeshImages(tuple(home / f"{target}.tar" for target in TARGETS), tag)


def _build(folder: Path, tag: str, base: str, istio: Path, envoy: Path) -> None:
    print("images: building those of the mesh", flush=True)
    started = time.monotonic()
    context = folder / "context"
    context.mkdir()
    for source in (*(istio / name for name in _FILES), envoy):
        # Both are in the cache folder, so that a link does.
        os.link(source, context / source.name)
    for target in TARGETS:
        name = f"{HUB}/{target}:{tag}"
        archive = folder / f"{target}.tar"
        containerfile.build(_CONTAINERFILE, context, name, archive, base, f"--target={target}")
        print(f"  {target} after {time.monotonic() - started:.0f} s", flush=True)
    shutil.rmtree(context)
