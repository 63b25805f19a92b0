"""The product on the testbed: images into the nodes, the chart into the cluster."""

from testbed import binaries, images, paths
from testbed.cluster import Cluster
from testbed.progress import Progress

CHART = paths.PROJECT / "charts" / "spidercoordinator"
VALUES = paths.SOURCES / "manifests" / "values.yaml"
NAMESPACE = "spiderpool"
NAME = "spidercoordinator"
_NAD_CRD = paths.SOURCES / "manifests" / "network-attachment-definition.crd.yaml"
_HELM_TIMEOUT = "3m"


def load(cluster: Cluster, progress: Progress) -> None:
    """Load the test box and the product's images, and the CRD that Multus would bring.

    Raises:
        TestbedError: an image cannot be built or loaded.
    """
    for archive in (images.ensure_box(), *images.build_product()):
        cluster.import_image(archive)
    cluster.kubectl("apply", f"--filename={_NAD_CRD}")
    progress.say("images are loaded")


def install(cluster: Cluster, progress: Progress) -> None:
    """Install the chart with the testbed's values, or upgrade it, and wait for its pods.

    Raises:
        TestbedError: helm fails or the pods do not become ready; the text has helm's output.
    """
    binaries.run(
        cluster.state.bin,
        "helm",
        f"--kubeconfig={cluster.kubeconfig}",
        "upgrade",
        "--install",
        NAME,
        str(CHART),
        f"--namespace={NAMESPACE}",
        "--create-namespace",
        f"--values={VALUES}",
        "--wait",
        f"--timeout={_HELM_TIMEOUT}",
    )
    progress.say(f"release {NAME} is installed in namespace {NAMESPACE}")
