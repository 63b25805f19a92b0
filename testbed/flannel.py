"""flannel as the testbed's cluster network: its own daemon, CNI plugin, and manifest.

The manifest is the release's but for the image, which is made here, and CNI's version. The
backend for UDP is left out, which is C, and so is the one for a cloud whose client library is not
on every Go module proxy.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Final

from testbed import agents, cache, cni, gobuild, paths
from testbed.agents import Agents, Manifest, Project
from testbed.images import containerfile
from testbed.images.base import ensure_base

_MODULE = paths.SOURCES / "flannel"
_PLUGIN_MODULE = paths.SOURCES / "flannel-cni"
"""An older release, the last whose plugin has a Go module that can be built by itself."""

_PATH = "github.com/flannel-io/flannel"
_PLUGIN = "github.com/containernetworking/plugins/plugins/meta/flannel"
_MANIFEST = Path("Documentation/kube-flannel.yml")
_SOURCES = "flannel"
_CNI = "cni-conf.json"
_CNI_VERSION = "0.3.1"
"""What flannel's manifest had when that plugin was new, which knows no newer one than 0.4.0."""

_UDP = Path("pkg/backend/udp")
_C_ALONE = ("cproxy_amd64.go", "proxy_amd64.c", "proxy_amd64.h", "udp_network_amd64.go")
_LDFLAGS = ("-s", "-w")


def adapt(manifest: Manifest) -> None:
    """Give the CNI configuration a version that the plugin knows."""
    if manifest["kind"] == "ConfigMap":
        text = manifest["data"][_CNI]
        manifest["data"][_CNI] = json.dumps({**json.loads(text), "cniVersion": _CNI_VERSION})


PROJECT: Final = Project(
    name=cni.FLANNEL,
    namespace="kube-flannel",
    daemon_set="kube-flannel-ds",
    manifests=(_MANIFEST.name,),
    adapt=adapt,
)


def ensure() -> Agents:
    """Return what is built; build what is missing.

    Raises:
        TestbedError: Go is missing or a build fails.
    """
    base = ensure_base()
    modules = [path for home in (_MODULE, _PLUGIN_MODULE) for path in sorted(home.rglob("*"))]
    sources = [path for path in modules if path.is_file()]
    tag = cache.key_of(*sources, Path(__file__), base, gobuild.toolchain())
    return PROJECT.ensure(tag, lambda folder: _build(folder, tag, base))


def _build(folder: Path, tag: str, base: str) -> None:
    context = folder / "context"
    context.mkdir()
    gobuild.build(_PLUGIN_MODULE, _PLUGIN, context / "flannel", _LDFLAGS, "flannel's CNI plugin")
    module = _without_c(folder / "module")
    gobuild.build(module, _PATH, context / "flanneld", _LDFLAGS, "flannel (about 2 minutes)")
    gobuild.build(
        module, f"{_PATH}/cmd/install_conf", context / "install-conf", _LDFLAGS, "install-conf"
    )
    shutil.copyfile(module / _SOURCES / _MANIFEST, folder / _MANIFEST.name)
    shutil.rmtree(module)
    name, archive = PROJECT.image(tag), agents.archive(folder)
    containerfile.build(_MODULE / "Containerfile", context, name, archive, base)
    shutil.rmtree(context)


def _without_c(module: Path) -> Path:
    """Copy our module and flannel's sources, and take out what only a C compiler can build.

    Go does not let an overlay replace what is in its module cache.
    """
    shutil.copytree(_MODULE, module)
    sources = module / _SOURCES
    shutil.copytree(gobuild.module_source(_MODULE, _PATH), sources, copy_function=shutil.copyfile)
    for folder, _, _ in os.walk(sources):
        # The cache's are read-only.
        Path(folder).chmod(0o755)
    for name in _C_ALONE:
        (sources / _UDP / name).unlink()
    (sources / _UDP / "udp_amd64.go").write_text("package udp\n")
    with (module / "go.mod").open("a") as handle:
        handle.write(f"replace {_PATH} => ./{_SOURCES}\n")
    return module
