"""Run buildah, and the one base image that takes the place of those of a registry.

Buildah's storage is in the cache folder: the machine's own image storage is not
touched. The base is Debian with Python, made by debootstrap, plus the machine's
certificate bundle, since package registries may be reached through an authority
that only the machine knows.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from testbed import cache
from testbed.errors import TestbedError
from testbed.paths import cache_dir
from testbed.prerequisites import DEBIAN_PATH

SUITE = "bookworm"
"""The Debian release of the base; its Python is 3.11."""

_PACKAGES = ("python3", "python3-venv", "ca-certificates")

_CERTIFICATES = Path("etc/ssl/certs/ca-certificates.crt")

_DROPPED = (
    "usr/share/doc",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/man",
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/log",
)
"""Folders of a fresh Debian that no image needs; they are emptied. Half of its size."""

_TAIL = 20


def buildah(*arguments: str) -> str:
    """Run buildah on the testbed's own storage and return its output.

    Raises:
        TestbedError: buildah is missing or fails; the text has the end of its output.
    """
    storage = cache_dir() / "containers"
    command = ["buildah", "--root", str(storage), "--runroot", str(storage / "run"), *arguments]
    return _run(command, f"buildah {arguments[0]}")


def ensure_base() -> str:
    """Return the name of the base image in buildah's storage; make it when it is absent.

    Raises:
        TestbedError: debootstrap or buildah is missing or fails.
    """
    bundle = Path("/") / _CERTIFICATES
    certificates = bundle.read_bytes() if bundle.exists() else b""
    key = cache.key_of(Path(__file__), certificates)
    name = f"localhost/spidercoordinator-base:{key}"
    with cache.locked(cache_dir() / "base.lock", "base image: another process makes it, waiting"):
        if name not in buildah("images", "--format", "{{.Name}}:{{.Tag}}").split():
            folder = cache.entry("base", key, lambda target: _bootstrap(target, certificates))
            _commit(folder, name)
    return name


def bootstrap(root: Path, packages: Iterable[str], mirror: str = "") -> None:
    """Make the root file system of a small Debian with the given packages.

    They come from `mirror`, an URL, or from the mirror that debootstrap itself chooses.

    Raises:
        TestbedError: debootstrap is missing or fails; the text has the end of its output.
    """
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(packages)}"]
    # It runs the new system's dpkg and the packages' scripts, which run what any Debian has.
    _run(
        [*command, SUITE, str(root), *([mirror] if mirror else [])], "debootstrap", PATH=DEBIAN_PATH
    )


def _bootstrap(folder: Path, certificates: bytes) -> None:
    print(f"base image: Debian {SUITE} with Python, by debootstrap (about 1 minute)", flush=True)
    started = time.monotonic()
    root = folder / "root"
    bootstrap(root, _PACKAGES)
    for name in _DROPPED:
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir(parents=True)
    if certificates:
        (root / _CERTIFICATES).write_bytes(certificates)
    # One file: a folder with device nodes and owners is awkward to keep in a cache.
    _run(["tar", "-C", str(root), "-cf", str(folder / "base.tar"), "."], "tar")
    shutil.rmtree(root)
    print(f"  done in {time.monotonic() - started:.0f} s", flush=True)


def _commit(folder: Path, name: str) -> None:
    container = buildah("from", "scratch").strip()
    try:
        buildah("add", "--quiet", container, str(folder / "base.tar"), "/")
        # pip and uv carry bundles of their own and must be told of the machine's.
        bundle = f"/{_CERTIFICATES}"
        settings = [f"--env={key}={bundle}" for key in ("SSL_CERT_FILE", "PIP_CERT")]
        buildah("config", *settings, container)
        buildah("commit", "--quiet", container, name)
    finally:
        buildah("rm", container)


def _run(command: list[str], what: str, **environment: str) -> str:
    if shutil.which(command[0]) is None:
        raise TestbedError(f"{command[0]} is missing: run `python -m testbed prepare` as root")
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        # Both tools print progress in the user's language otherwise, and warn about it.
        env={**os.environ, "LC_ALL": "C.UTF-8", **environment},
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-_TAIL:])
        raise TestbedError(
            f"{what} failed with status {done.returncode} (network to the package "
            f"registries, free disk space?):\n{tail}"
        )
    return done.stdout
