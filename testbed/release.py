"""The product on the testbed: images into the nodes, the chart into the cluster."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from testbed import binaries, images, paths
from testbed.cluster import Cluster
from testbed.errors import TestbedError
from testbed.progress import Progress

CHART = paths.PROJECT / "charts" / "spidercoordinator"
VALUES = paths.SOURCES / "manifests" / "values.yaml"
NAMESPACE = "spiderpool"
NAME = "spiderpool"
"""As in the guide that the demo follows, so that `make up` goes on where `make demo` ended."""
_NAD_CRD = paths.SOURCES / "manifests" / "network-attachment-definition.crd.yaml"
_TIMEOUT = "2m"
_LOG_LINES = 10
_LABELLED = (f"--namespace={NAMESPACE}", f"--selector=app.kubernetes.io/instance={NAME}")
_PARTS = ("operator", "installer")


def load(cluster: Cluster, product: tuple[Path, ...], progress: Progress) -> None:
    """Load the test box and the product's images, and the CRD that Multus would bring.

    Raises:
        TestbedError: an image cannot be built or loaded.
    """
    cluster.kubectl("apply", f"--filename={_NAD_CRD}")
    with ThreadPoolExecutor() as pool:
        for _ in pool.map(cluster.import_image, (images.ensure_box(), *product)):
            pass
    progress.say("images are loaded")


def install(cluster: Cluster, product: tuple[Path, ...], progress: Progress) -> None:
    """Install the chart with the testbed's values, or upgrade it, and wait for its pods.

    Raises:
        TestbedError: helm fails or the pods do not become ready; the text has helm's
            output and the end of the pods' logs.
    """
    _forget_interrupted(cluster)
    # The archives lie in a folder that is named after what went into them.
    arguments = _arguments(cluster, product[0].parent.name)
    try:
        binaries.run(cluster.state.bin, "helm", *arguments)
        # To helm a DaemonSet is ready while as many pods are missing as an update may take away.
        cluster.kubectl("rollout", "status", "daemonset", *_LABELLED, f"--timeout={_TIMEOUT}")
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
    logs = ("logs", *_LABELLED, "--all-containers", "--prefix", "--ignore-errors")
    return "\n".join(
        [
            cluster.kubectl("get", "pods", *_LABELLED, "-o=wide"),
            cluster.kubectl(*logs, f"--tail={_LOG_LINES}"),
        ]
    )
