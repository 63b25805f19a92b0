"""The product on the testbed: images into the nodes, the chart into the cluster."""

from testbed import binaries, images, paths
from testbed.cluster import Cluster
from testbed.errors import TestbedError
from testbed.progress import Progress

CHART = paths.PROJECT / "charts" / "spidercoordinator"
VALUES = paths.SOURCES / "manifests" / "values.yaml"
NAMESPACE = "spiderpool"
NAME = "spidercoordinator"
_NAD_CRD = paths.SOURCES / "manifests" / "network-attachment-definition.crd.yaml"
_TIMEOUT = "2m"
_LOG_LINES = 10
_PARTS = ("operator", "installer")


def load(cluster: Cluster, progress: Progress) -> str:
    """Load the test box and the product's images, and the CRD that Multus would bring.

    Returns a name for the content of the product's images.

    Raises:
        TestbedError: an image cannot be built or loaded.
    """
    product = images.build_product()
    for archive in (images.ensure_box(), *product):
        cluster.import_image(archive)
    cluster.kubectl("apply", f"--filename={_NAD_CRD}")
    progress.say("images are loaded")
    return product[0].parent.name


def install(cluster: Cluster, content: str, progress: Progress) -> None:
    """Install the chart with the testbed's values, or upgrade it, and wait for its pods.

    Raises:
        TestbedError: helm fails or the pods do not become ready; the text has helm's
            output and the end of the pods' logs.
    """
    _forget_interrupted(cluster)
    try:
        binaries.run(cluster.state.bin, "helm", *_arguments(cluster, content))
    except TestbedError as failed:
        raise TestbedError(f"{failed}\n{_pods(cluster)}") from failed
    progress.say(f"release {NAME} is installed in namespace {NAMESPACE}")


def _arguments(cluster: Cluster, content: str) -> list[str]:
    # The tag stays the same when the sources change: the annotation makes new pods then.
    contents = [f"{part}.podAnnotations.testbed-content={content}" for part in _PARTS]
    return [
        f"--kubeconfig={cluster.kubeconfig}",
        *("upgrade", "--install", NAME, str(CHART)),
        f"--namespace={NAMESPACE}",
        "--create-namespace",
        f"--values={VALUES}",
        f"--set-string={','.join(contents)}",
        "--wait",
        f"--timeout={_TIMEOUT}",
    ]


def _forget_interrupted(cluster: Cluster) -> None:
    """Let helm start anew: it refuses to touch a release whose installation was killed."""
    pending = "status in (pending-install,pending-upgrade,pending-rollback)"
    cluster.kubectl(
        "delete",
        "secret",
        f"--namespace={NAMESPACE}",
        f"--selector=owner=helm,name={NAME},{pending}",
    )


def _pods(cluster: Cluster) -> str:
    here = f"--namespace={NAMESPACE}"
    label = f"--selector=app.kubernetes.io/instance={NAME}"
    logs = ("logs", here, label, "--all-containers", "--prefix", "--ignore-errors")
    return "\n".join(
        [
            cluster.kubectl("get", "pods", here, "-o=wide"),
            cluster.kubectl(*logs, f"--tail={_LOG_LINES}"),
        ]
    )
