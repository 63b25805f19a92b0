"""Prometheus and promtool, and the kinds of the Prometheus operator.

The programs come from Debian's package of the machine's own release. It is taken apart, not
installed: an installation would start a server on the machine.
"""

import os
import subprocess
from pathlib import Path

from testbed import cache, gobuild, paths, prerequisites
from testbed.errors import TestbedError

_PACKAGE = "prometheus"
_MODULE = paths.SOURCES / "prometheus-operator"
_OPERATOR = "github.com/prometheus-operator/prometheus-operator"


def ensure() -> Path:
    """Return the folder that has `prometheus` and `promtool`; fetch the package when there is none.

    Raises:
        TestbedError: it cannot be had; the text says what to check.
    """
    release = Path("/etc/os-release").read_text()
    return cache.entry(_PACKAGE, cache.key_of(release), _fetch) / "usr/bin"


def operator_crds() -> Path:
    """Return the folder with the CRDs of the Prometheus operator, one file each.

    Raises:
        TestbedError: its Go module cannot be had.
    """
    return gobuild.module_source(_MODULE, _OPERATOR) / "example" / "prometheus-operator-crd"


def _fetch(folder: Path) -> None:
    print("prometheus: fetching Debian's package (the first time only, 20 MB)", flush=True)
    _run(["apt-get", "update"], folder)
    _run(["apt-get", "download", _PACKAGE], folder)
    (package,) = folder.glob("*.deb")
    _run(["dpkg-deb", "-x", package.name, "."], folder)
    package.unlink()


def _run(argv: list[str], folder: Path) -> None:
    # They run what any Debian has.
    environment = os.environ | {"PATH": prerequisites.DEBIAN_PATH}
    done = subprocess.run(
        argv, check=False, capture_output=True, text=True, cwd=folder, env=environment
    )
    if done.returncode:
        raise TestbedError(
            f"Debian's package {_PACKAGE} cannot be had: `{' '.join(argv)}` failed: "
            f"{(done.stderr or done.stdout).strip()}; check the network and /etc/apt"
        )
