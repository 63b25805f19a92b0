"""flannel as the testbed's cluster network: its own daemon, CNI plugin, and manifest.

The manifest is the release's but for the image, which is made here, and CNI's version. The
backend for UDP is left out, which is C, and so is the one for a cloud whose client library is not
on every Go module proxy.
"""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from testbed import cache, gobuild, paths
from testbed.cluster import Cluster
from testbed.extras import asked_for
from testbed.images.base import buildah, ensure_base
from testbed.progress import Progress

VARIABLE: Final = "TESTBED_NETWORK"
"""The environment variable that asks for it."""

FLANNEL: Final = "flannel"
NAMESPACE: Final = "kube-flannel"
DAEMON_SET: Final = "kube-flannel-ds"

_MODULE = paths.SOURCES / "flannel"
_PLUGIN_MODULE = paths.SOURCES / "flannel-cni"
"""An older release, the last whose plugin has a Go module that can be built by itself."""

_PATH = "github.com/flannel-io/flannel"
_PLUGIN = "github.com/containernetworking/plugins/plugins/meta/flannel"
_MANIFEST = "Documentation/kube-flannel.yml"
_CNI = "cni-conf.json"
_CNI_VERSION = "0.3.1"
"""What flannel's manifest had when that plugin was new, which knows no newer one than 0.4.0."""

_UDP = Path("pkg/backend/udp")
_C_ALONE = ("cproxy_amd64.go", "proxy_amd64.c", "proxy_amd64.h", "udp_network_amd64.go")
_LDFLAGS = ("-s", "-w")
_REPOSITORY = "localhost/spidercoordinator-testbed/flannel"
_TIMEOUT = "2m"


def wanted() -> bool:
    """Tell whether `TESTBED_NETWORK` asks for flannel.

    Raises:
        TestbedError: it names a cluster network that there is none of here.
    """
    return asked_for(VARIABLE, FLANNEL, without="a bridge and routes")


@dataclass(frozen=True)
class Flannel:
    """What is built of it: the image's archive and name, and its manifest."""

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
        """Return all objects to create, in the release's order."""
        text = (self.folder / Path(_MANIFEST).name).read_text()
        return [_adapted(each, self.image) for each in yaml.safe_load_all(text) if each]


def _adapted(manifest: dict[str, Any], image: str) -> dict[str, Any]:
    if manifest["kind"] == "ConfigMap":
        text = manifest["data"][_CNI]
        manifest["data"][_CNI] = json.dumps({**json.loads(text), "cniVersion": _CNI_VERSION})
    if manifest["kind"] == "DaemonSet":
        pod = manifest["spec"]["template"]["spec"]
        for container in (*pod["initContainers"], *pod["containers"]):
            container["image"] = image
    return manifest


def ensure() -> Flannel:
    """Return what is built; build what is missing.

    Raises:
        TestbedError: Go is missing or a build fails.
    """
    base = ensure_base()
    modules = [path for home in (_MODULE, _PLUGIN_MODULE) for path in sorted(home.rglob("*"))]
    sources = [path for path in modules if path.is_file()]
    tag = cache.key_of(*sources, Path(__file__), base, gobuild.toolchain())
    return Flannel(cache.entry(FLANNEL, tag, lambda folder: _build(folder, tag, base)), tag)


def _build(folder: Path, tag: str, base: str) -> None:
    context = folder / "context"
    context.mkdir()
    gobuild.build(_PLUGIN_MODULE, _PLUGIN, context / "flannel", _LDFLAGS, "flannel's CNI plugin")
    module = _without_c(folder / "module")
    gobuild.build(module, _PATH, context / "flanneld", _LDFLAGS, "flannel (about 2 minutes)")
    gobuild.build(
        module, f"{_PATH}/cmd/install_conf", context / "install-conf", _LDFLAGS, "install-conf"
    )
    shutil.copyfile(module / FLANNEL / _MANIFEST, folder / Path(_MANIFEST).name)
    shutil.rmtree(module)
    name = Flannel(folder, tag).image
    options = ("--isolation=chroot", "--network=host", "--layers", "--force-rm")
    named = (f"--build-arg=BASE={base}", f"--tag={name}", f"--file={_MODULE / 'Containerfile'}")
    buildah("bud", *options, *named, str(context))
    buildah("push", "--quiet", name, f"docker-archive:{folder / 'image.tar'}:{name}")
    shutil.rmtree(context)


def _without_c(module: Path) -> Path:
    """Copy our module and flannel's sources, and take out what only a C compiler can build.

    Go does not let an overlay replace what is in its module cache.
    """
    shutil.copytree(_MODULE, module)
    sources = module / FLANNEL
    shutil.copytree(gobuild.module_source(_MODULE, _PATH), sources, copy_function=shutil.copyfile)
    for folder, _, _ in os.walk(sources):
        # The cache's are read-only.
        Path(folder).chmod(0o755)
    for name in _C_ALONE:
        (sources / _UDP / name).unlink()
    (sources / _UDP / "udp_amd64.go").write_text("package udp\n")
    with (module / "go.mod").open("a") as handle:
        handle.write(f"replace {_PATH} => ./{FLANNEL}\n")
    return module


def install(cluster: Cluster, built: Flannel, progress: Progress) -> None:
    """Load the image into every node, apply the manifest, and wait for the pods.

    Raises:
        TestbedError: containerd or the API server refuses something, or a pod does not come up.
    """
    cluster.import_image(built.archive)
    cluster.kubectl("apply", "--filename=-", stdin=yaml.safe_dump_all(built.manifests()))
    rollout = ("rollout", "status", "daemonset", DAEMON_SET, f"--namespace={NAMESPACE}")
    cluster.kubectl(*rollout, f"--timeout={_TIMEOUT}")
    progress.say("flannel is the cluster network")
