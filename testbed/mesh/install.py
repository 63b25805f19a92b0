"""The mesh on a cluster: images into the nodes, DNS and Istio's own charts into the cluster."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from testbed import binaries, paths
from testbed.cluster import Cluster
from testbed.mesh import programs
from testbed.mesh.images import MeshImages
from testbed.progress import Progress

NAMESPACE = "istio-system"
VALUES = paths.SOURCES / "mesh" / "values.yaml"
_COREDNS = paths.SOURCES / "mesh" / "coredns.yaml"
_TIMEOUT = "3m"


def load(cluster: Cluster, images: MeshImages, progress: Progress) -> None:
    """Load the images of the mesh into every node.

    Raises:
        TestbedError: containerd refuses one.
    """
    with ThreadPoolExecutor() as pool:
        for _ in pool.map(cluster.import_image, images.archives):
            pass
    progress.say("images of the mesh are loaded")


def install(cluster: Cluster, images: MeshImages, progress: Progress) -> None:
    """Install the cluster's DNS, Istio's CRDs and istiod, or upgrade them, and wait for them.

    Raises:
        TestbedError: kubectl or helm fails; the text has its output.
    """
    manifest = _COREDNS.read_text().replace("IMAGE", images.name("coredns"))
    cluster.kubectl("apply", "--filename=-", stdin=manifest)
    release(cluster, images, Release("base", "istio-base"))
    release(cluster, images, Release("istiod", "istiod"))
    wait = ("rollout", "status", "deployment/coredns", "--namespace=kube-system")
    cluster.kubectl(*wait, f"--timeout={_TIMEOUT}")
    progress.say(f"CoreDNS and istiod run, the latter in namespace {NAMESPACE}")


@dataclass(frozen=True)
class Release:
    """One of Istio's charts under a release name, with settings beside the testbed's values."""

    chart: str
    name: str
    namespace: str = NAMESPACE
    settings: dict[str, object] = field(default_factory=dict)


def release(cluster: Cluster, images: MeshImages, wanted: Release) -> None:
    """Install a release, or upgrade it, and wait for its pods.

    Raises:
        TestbedError: helm fails; the text has its output.
    """
    given = [f"--set-json={key}={json.dumps(value)}" for key, value in wanted.settings.items()]
    binaries.run(
        cluster.state.bin,
        "helm",
        f"--kubeconfig={cluster.kubeconfig}",
        *("upgrade", "--install", wanted.name),
        str(programs.ensure_istio() / "charts" / wanted.chart),
        *(f"--namespace={wanted.namespace}", "--create-namespace", f"--values={VALUES}"),
        f"--set-string=global.tag={images.tag}",
        *given,
        *("--wait", f"--timeout={_TIMEOUT}"),
    )
