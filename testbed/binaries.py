"""The binaries of the testbed: Kubernetes, etcd and helm, built once from source.

Nothing is downloaded but Go modules, whose checksums are in the go.sum files. The
results are cached by those files, so any clone of the same state starts warm.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from testbed import built, cache, extras, gobuild, paths
from testbed.errors import TestbedError

COMPONENTS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubeadm",
    "kubectl",
    "kubelet",
)
"""The names by which the multi-call binary is called; main.go has the same list."""

KUBERNETES = "TESTBED_KUBERNETES"
"""The environment variable that names a minor release."""

MINORS = ("1.36", "1.31")
"""Minor releases that can be built, each by the module of this name in testbed/kubernetes: first
what is built where none is named, last the oldest that the chart supports."""

_RELEASE = re.compile(r"^\tk8s\.io/kubernetes (v\S+)$", re.MULTILINE)
_VERSION_PACKAGES = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")


def ensure() -> Path:
    """Return a folder with all components, kubectl and helm; build what is missing.

    Raises:
        TestbedError: Go is missing or a build fails.
    """
    if (elsewhere := built.folder()) is not None:
        return elsewhere
    toolchain = gobuild.toolchain()
    kubernetes = _kubernetes(toolchain)
    helm = _helm(toolchain)
    return cache.entry(
        "binaries",
        cache.key_of(str(kubernetes), str(helm)),
        lambda folder: _collect(folder, kubernetes / "kubernetes", helm / "helm"),
    )


def helm() -> Path:
    """Return the helm program; build it when it is missing.

    Raises:
        TestbedError: Go is missing or the build fails.
    """
    return _helm(gobuild.toolchain()) / "helm"


def kubernetes_release() -> str:
    """Return the release that is built, as its components tell it: v1.36.1.

    Raises:
        TestbedError: TESTBED_KUBERNETES names no minor release that can be built.
    """
    [release] = _RELEASE.findall((_kubernetes_module() / "go.mod").read_text())
    return str(release)


def _kubernetes_module() -> Path:
    return paths.SOURCES / "kubernetes" / extras.chosen(KUBERNETES, MINORS)


def _kubernetes(toolchain: str) -> Path:
    module, release = _kubernetes_module(), kubernetes_release()
    flags = ldflags(release)
    sources = (module / name for name in ("go.mod", "go.sum", "main.go", "constructors.go"))
    return cache.entry(
        "kubernetes",
        cache.key_of(*sources, toolchain, *flags),
        lambda folder: gobuild.build(
            module,
            ".",
            folder / "kubernetes",
            flags,
            f"Kubernetes {release} and etcd (the first time only: 5 to 8 minutes on 2 cores)",
        ),
    )


def _helm(toolchain: str) -> Path:
    module = paths.SOURCES / "helm"
    return cache.entry(
        "helm",
        cache.key_of(module / "go.mod", module / "go.sum", toolchain),
        lambda folder: gobuild.build(
            module,
            "helm.sh/helm/v3/cmd/helm",
            folder / "helm",
            ("-s", "-w"),
            "helm (the first time only: 2 to 3 minutes on 2 cores)",
        ),
    )


def ldflags(release: str) -> tuple[str, ...]:
    """Return the linker flags that give the components their version, such as v1.36.1.

    kubeadm and `kubectl version` read it from there; a module build does not know it.
    """
    major, minor, _ = release.removeprefix("v").split(".")
    values = {
        "gitVersion": release,
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
    }
    settings = [
        f"-X={package}.{name}={value}"
        for package in _VERSION_PACKAGES
        for name, value in values.items()
    ]
    return ("-s", "-w", *settings)


def _collect(folder: Path, kubernetes: Path, helm: Path) -> None:
    for binary in (kubernetes, helm):
        # A hard link outlives the pruning of the entry it came from.
        os.link(binary, folder / binary.name)
    for name in COMPONENTS:
        (folder / name).symlink_to(kubernetes.name)


def run(folder: Path, name: str, *arguments: str, stdin: str | None = None) -> str:
    """Run a tool of `ensure()` to its end and return its output.

    Raises:
        TestbedError: it is missing or exits with an error; the text has its output.
    """
    command = [str(folder / name), *arguments]
    if shutil.which(command[0]) is None:
        raise TestbedError(f"{command[0]} is missing: run `python -m testbed prepare`")
    # It ends with this process: a helm that goes on alone would be in the next one's way.
    bound = ["setpriv", "--pdeathsig", "KILL", *command]
    done = subprocess.run(bound, input=stdin, check=False, capture_output=True, text=True)
    if done.returncode:
        raise TestbedError(
            f"{name} {' '.join(arguments)} failed with status {done.returncode}: "
            f"{(done.stderr or done.stdout).strip()}"
        )
    return done.stdout
