"""What guests are made of: the root file system of a Debian, with QEMU and kernels.

debootstrap and apt-get fill a folder of the cache. The machine itself gets no package: its own
programs and services would be other ones afterwards. QEMU, too, is run from that folder.
"""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from testbed import cache, prerequisites
from testbed.errors import TestbedError
from testbed.fresh import registries
from testbed.images.base import SUITE, bootstrap

SERIES = ("6.1", "6.12")
"""The kernels that are fetched: the one of the suite, and the one of its backports."""

MIRROR = "KERNELS_MIRROR"
"""The environment variable that names a Debian mirror, in place of the machine's own."""

_FOLDER = Path(__file__).parent
_SCRIPT = _FOLDER / "install.sh"
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_LOADER = "lib64/ld-linux-x86-64.so.2"

_TAIL = 15


@dataclass(frozen=True)
class Root:
    """The root file system of the guests, as a folder of the host, with the kernels beside it."""

    folder: Path

    def kernels(self) -> Path:
        """Return the folder with a folder for each series."""
        return self.folder.with_name("kernels")

    def mke2fs(self) -> list[str]:
        """Return the command that makes ext4 images."""
        configuration = f"MKE2FS_CONFIG={self.folder / 'etc/mke2fs.conf'}"
        return ["env", configuration, *self.command("usr/sbin/mke2fs")]

    def command(self, program: str, *arguments: str) -> list[str]:
        """Return the command that runs one of its programs here, with its own libraries."""
        # kmod tells by its name what it is to do.
        loader = [str(self.folder / _LOADER), "--argv0", program.rpartition("/")[2]]
        libraries = self.folder / _LIBRARIES
        return [*loader, "--library-path", str(libraries), str(self.folder / program), *arguments]


def ensure() -> Root:
    """Return the guests' root; make it when it is absent, which takes minutes.

    Raises:
        TestbedError: the machine is none of x86-64, or Debian's packages cannot be had from here.
    """
    if platform.machine() != "x86_64":
        raise TestbedError(
            f"kernels: the guests are x86-64 machines, and this one is {platform.machine()}: its "
            "QEMU and its Go programs would not run; use a machine of that kind"
        )
    packages = _packages()
    key = cache.key_of(_SCRIPT, Path(__file__), *packages)
    folder = cache.entry("kernels", key, lambda target: _make(Root(target / "root"), packages))
    return Root(folder / "root")


def _packages() -> list[str]:
    declared = (*prerequisites.REQUIREMENTS, *prerequisites.GUEST)
    return sorted({wanted.package for wanted in declared})


def _make(root: Root, packages: list[str]) -> None:
    _install(root.folder, packages)
    (root.folder / "kernels").rename(root.kernels())


def _install(root: Path, packages: Iterable[str]) -> None:
    print(f"kernels: a Debian {SUITE} with QEMU and Linux {', '.join(SERIES)} for the guests")
    print("  (the first time only: 4 to 8 minutes, 400 MB from a Debian mirror)", flush=True)
    mirror = os.environ.get(MIRROR) or machine_mirror()
    try:
        bootstrap(root, ("ca-certificates",), mirror)
    except TestbedError as failed:
        raise TestbedError(f"{failed}\n{_REMEDY}") from failed
    _configure(root)
    argv = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork"]
    argv += ["--kill-child=KILL", "sh", str(_SCRIPT), str(root), SUITE]
    # It runs apt-get, dpkg and the packages' scripts, which run what any Debian has.
    environment = registries.variables(os.environ) | {"PATH": prerequisites.DEBIAN_PATH}
    done = subprocess.run(
        [*argv, " ".join(SERIES), " ".join(packages)],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-_TAIL:])
        raise TestbedError(f"kernels: apt-get failed in the guests' root:\n{tail}\n{_REMEDY}")


_REMEDY = (
    f"the guests need a Debian mirror that has {SUITE} and {SUITE}-backports: check the network "
    f"and free disk space (2 GB), or name a mirror by {MIRROR}"
)


def machine_mirror() -> str:
    """Return the mirror that the machine has this suite from; empty, debootstrap's own is used."""
    apt_get = prerequisites.Requirement("apt-get", "apt").find()
    if apt_get is None:
        return ""
    line = "$(CODENAME) $(LABEL) $(COMPONENT) $(REPO_URI)"
    done = subprocess.run(
        [str(apt_get), "indextargets", "--format", line, "Created-By: Packages"],
        check=False,
        capture_output=True,
        text=True,
    )
    return mirror_of(done.stdout)


def mirror_of(targets: str) -> str:
    """Return the mirror of the suite in lines of codename, label, component and address."""
    found = re.search(rf"^{SUITE} Debian main (\S+)$", targets, re.MULTILINE)
    return found[1] if found else ""


def _configure(root: Path) -> None:
    """Let apt-get inside reach what the machine reaches, and start no service."""
    own = root / "etc/apt/sources.list"
    found = re.search(rf"^deb (?:\[.*\] )?(\S+) {SUITE} ", own.read_text(), re.MULTILINE)
    if found is None:
        raise TestbedError(f"kernels: {own} names no mirror of {SUITE}: {own.read_text()!r}")
    registries.bring(root, SUITE)
    # Of the machine's sources the mirror is enough: others have no part in this.
    shutil.rmtree(root / "etc/apt/sources.list.d", ignore_errors=True)
    own.write_text(
        "".join(f"deb {found[1]} {suite} main\n" for suite in (SUITE, f"{SUITE}-backports"))
    )
    policy = root / "usr/sbin/policy-rc.d"
    # The answer for "not allowed": a service would run in the machine's own network.
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
