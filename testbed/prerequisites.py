"""What the machine must have, and how to get what is missing."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from testbed.errors import TestbedError

CNI_PLUGINS = Path("/usr/lib/cni")
"""Where Debian's containernetworking-plugins puts the plugins."""


@dataclass(frozen=True)
class Requirement:
    """A program and the Debian package that has it."""

    program: str
    package: str

    def present(self) -> bool:
        """Tell whether it is there: on PATH, or at its absolute path."""
        return shutil.which(self.program) is not None


REQUIREMENTS = (
    Requirement("containerd", "containerd"),
    Requirement("ctr", "containerd"),
    Requirement("runc", "runc"),
    Requirement("iptables", "iptables"),
    Requirement("conntrack", "conntrack"),
    Requirement("ethtool", "ethtool"),
    Requirement("socat", "socat"),
    Requirement("ip", "iproute2"),
    Requirement("nsenter", "util-linux"),
    Requirement("unshare", "util-linux"),
    Requirement("mount", "mount"),
    Requirement("buildah", "buildah"),
    Requirement("debootstrap", "debootstrap"),
    Requirement("busybox", "busybox-static"),
    Requirement(str(CNI_PLUGINS / "bridge"), "containernetworking-plugins"),
)


def missing_packages(requirements: Iterable[Requirement] = REQUIREMENTS) -> list[str]:
    """Return the Debian packages that have to be installed, each once, sorted."""
    return sorted({wanted.package for wanted in requirements if not wanted.present()})


def complaint(*, root: bool, go: bool, packages: list[str], apt: bool) -> str:
    """Return one message that names all that is missing with its remedy; empty when fine."""
    lines = []
    if not root:
        lines.append(
            "- root: nodes are namespaces, and only root makes these. Run it with sudo "
            "(sudo env PATH=$PATH ... keeps Go on the path)"
        )
    if not go:
        lines.append("- Go 1.26 or newer, `go` on PATH: https://go.dev/dl/")
    if packages and not apt:
        lines.append(f"- the programs that these Debian packages have: {' '.join(packages)}")
    elif packages and not root:
        lines.append(f"- Debian packages: sudo {' '.join(install_command(packages))}")
    if not lines:
        return ""
    return "\n".join(["the testbed cannot run here yet; it needs:", *lines])


def install_command(packages: list[str]) -> list[str]:
    """Return the command that installs packages."""
    return ["apt-get", "install", "-y", "--no-install-recommends", *packages]


def ensure() -> None:
    """Install missing Debian packages as root.

    Raises:
        TestbedError: root, Go or packages are missing and cannot be had from here.
    """
    packages = missing_packages()
    apt = shutil.which("apt-get") is not None
    text = complaint(
        root=os.geteuid() == 0, go=shutil.which("go") is not None, packages=packages, apt=apt
    )
    if text:
        raise TestbedError(text)
    if packages:
        _install(packages)
    _check_kernel()


def _install(packages: list[str]) -> None:
    print(f"installing Debian packages: {' '.join(packages)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], install_command(packages)):
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
        if done.returncode:
            raise TestbedError(
                f"`{' '.join(command)}` failed with status {done.returncode}: "
                f"{(done.stderr or done.stdout).strip()}"
            )
    left = missing_packages()
    if left:
        raise TestbedError(
            f"installed, but their programs are still not found: {' '.join(left)}; "
            f"check that /usr/sbin is on PATH ({os.environ.get('PATH', '')})"
        )


def _check_kernel() -> None:
    # Loading is a try: on many kernels these are built in, and then modprobe knows nothing.
    modprobe = shutil.which("modprobe")
    if modprobe:
        subprocess.run(
            [modprobe, "-q", "-a", "overlay", "br_netfilter", "macvlan"],
            check=False,
            capture_output=True,
        )
    if "\toverlay\n" not in Path("/proc/filesystems").read_text():
        raise TestbedError("the kernel has no overlayfs, which containers need: modprobe overlay")
