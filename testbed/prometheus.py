"""Prometheus and promtool, from Debian's package of the machine's own release.

The package is taken apart, not installed: an installation would start a server on the machine.
"""

import os
import subprocess
from pathlib import Path

from testbed import cache, prerequisites
from testbed.errors import TestbedError

_PACKAGE = "prometheus"


def ensure() -> Path:
    """Return the folder that has `prometheus` and `promtool`; fetch the package when there is none.

    Raises:
        TestbedError: it cannot be had; the text says what to check.
    """
    release = Path("/etc/os-release").read_text()
    return cache.entry(_PACKAGE, cache.key_of(release), _fetch) / "usr/bin"


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
