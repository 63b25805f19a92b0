"""What the machine must have, and how to get what is missing.

The list here is the only one: every program that the testbed and the tests run, also
those that every Debian has, with the package it comes from. `guard` makes a PATH of
it, so what is not in it cannot be run.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from testbed import cache, paths
from testbed.errors import TestbedError

CNI_PLUGINS = Path("/usr/lib/cni")
"""Where Debian's containernetworking-plugins puts the plugins."""

DEBIAN_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH for the few Debian tools that run a whole system's programs: apt-get, debootstrap."""

_PROGRAMS = {
    "bash": ("bash",),  # the demo's commands, Make's recipes
    "buildah": ("buildah",),
    "busybox-static": ("busybox",),  # it becomes the pods' programs, and has to be static
    # The last one is looked for by containerd, on PATH.
    "containerd": ("containerd", "ctr", "containerd-shim-runc-v2"),
    "coreutils": (
        *("cat", "dirname", "env", "mkdir", "rmdir", "sleep", "tac", "touch", "tr", "wc"),
    ),
    "dash": ("sh",),
    "debootstrap": ("debootstrap",),
    "ethtool": ("ethtool",),
    "git": ("git",),  # Go asks it for the revision that is built
    "hostname": ("hostname",),
    "iproute2": ("ip",),
    # Istio's programs and kube-proxy take the names with a back end where they find them.
    "iptables": tuple(
        f"{family}{backend}{verb}"
        for family in ("iptables", "ip6tables")
        for backend in ("", "-nft", "-legacy")
        for verb in ("", "-save", "-restore")
    ),
    "iputils-ping": ("ping",),
    "kmod": ("modprobe",),
    "mount": ("mount", "umount"),
    "nftables": ("nft",),
    "procps": ("sysctl",),
    "runc": ("runc",),
    "sed": ("sed",),  # the plugins that the stand-in's tests write
    "tar": ("tar",),
    "util-linux": ("nsenter", "pivot_root", "setarch", "setpriv", "unshare"),
}
"""The programs, by Debian package."""

_GUEST_PROGRAMS = {
    "cpio": ("cpio",),
    "dbus": ("dbus-daemon",),
    "e2fsprogs": ("mke2fs",),  # guests get their files as disk images
    "ipset": ("ipset",),  # kube-proxy runs it in IPVS mode
    "ipvsadm": ("ipvsadm",),
    "network-manager": ("NetworkManager", "nmcli"),
    "openvswitch-switch": ("ovs-vsctl", "ovs-vswitchd", "ovsdb-server", "ovsdb-tool"),
    "python3": ("python3",),
    # networkd is in it, and is no program of a folder of programs.
    "systemd": ("systemctl",),
    "udev": ("udevadm",),
}
"""Programs, by Debian package, that the guests of `make kernels` have besides the others."""

NETWORKD = "/usr/lib/systemd/systemd-networkd"
UDEVD = "/usr/lib/systemd/systemd-udevd"
VSWITCH_SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
"""Files of these packages that are in no folder of programs."""

_PLUGINS = (
    *("bandwidth", "bridge", "dhcp", "firewall", "host-device", "host-local", "ipvlan"),
    *("loopback", "macvlan", "portmap", "ptp", "sbr", "static", "tuning", "vlan", "vrf"),
)
"""The CNI plugins that nodes and tests get, all of one package."""

_UNIT = frozenset({"bash", "coreutils", "dash", "git", "sed"})
"""The packages whose programs `make check` and `make unit` run; these need no root."""

_PLACES = "/usr/sbin:/usr/bin:/sbin:/bin"

VENV = "python3-venv"
"""The package that Debian's own Python needs for `python3 -m venv`."""


@dataclass(frozen=True)
class Requirement:
    """A program, or a file by its absolute path, and the Debian package that has it."""

    program: str
    package: str = ""

    def find(self) -> Path | None:
        """Return where it is: at its absolute path, where packages put programs, or on PATH."""
        # The packages' places first: another program of that name is not the declared one.
        places = [_PLACES] if self.package else []
        path = os.pathsep.join([*places, os.environ.get("PATH", "")])
        found = shutil.which(self.program, path=path)
        if found is None:
            return None
        # Where PATH is the guard's already, its links tell what it was before.
        link = Path(found)
        return link.readlink() if link.parent == paths.PROGRAMS else link


REQUIREMENTS = (
    *(
        Requirement(program, package)
        for package, programs in _PROGRAMS.items()
        for program in programs
    ),
    *(Requirement(str(CNI_PLUGINS / name), "containernetworking-plugins") for name in _PLUGINS),
)
"""All that comes from Debian's packages."""

UNIT = tuple(wanted for wanted in REQUIREMENTS if wanted.package in _UNIT)
"""The part that unit tests and checks run."""

GUEST = tuple(
    Requirement(program, package)
    for package, programs in _GUEST_PROGRAMS.items()
    for program in programs
)
"""The further programs of guests; no other machine needs them."""

OTHERS = tuple(Requirement(program) for program in ("go", "gofmt", "helm", "kubectl"))
"""Programs of no package: Go, and what talks with a cluster that is not the testbed's."""


def missing_packages(requirements: Iterable[Requirement] = REQUIREMENTS) -> list[str]:
    """Return the Debian packages that have to be installed, each once, sorted."""
    return sorted({wanted.package for wanted in requirements if wanted.find() is None})


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
    if packages and not (root and apt):
        lines.append(_wish(packages, apt=apt))
    if not lines:
        return ""
    return "\n".join(["the testbed cannot run here yet; it needs:", *lines])


def _wish(packages: list[str], *, apt: bool) -> str:
    if not apt:
        return f"- the programs that these Debian packages have: {' '.join(packages)}"
    return f"- Debian packages: sudo {' '.join(install_command(packages))}"


def install_command(packages: list[str]) -> list[str]:
    """Return the command that installs packages."""
    return ["apt-get", "install", "-y", "--no-install-recommends", *packages]


def ensure() -> None:
    """Install missing Debian packages as root.

    Raises:
        TestbedError: root, Go or packages are missing and cannot be had from here.
    """
    packages = missing_packages()
    text = complaint(
        root=os.geteuid() == 0,
        go=shutil.which("go") is not None,
        packages=packages,
        apt=_apt(),
    )
    if text:
        raise TestbedError(text)
    _install(packages)
    left = missing_packages()
    if left:
        raise TestbedError(
            f"installed, but their programs are still not found: {' '.join(left)}; "
            f"they are looked for in {_PLACES}"
        )
    _check_kernel()


def ensure_unit() -> None:
    """Install what unit tests and checks run; without root, say what is missing.

    Raises:
        TestbedError: packages are missing and cannot be had from here.
    """
    _ensure_packages(missing_packages(UNIT), "the checks and unit tests need")


def ensure_venv() -> None:
    """Install what this Python needs to make virtual environments, where it is Debian's.

    Raises:
        TestbedError: it is missing and cannot be had from here.
    """
    if find_spec("ensurepip") is None:
        _ensure_packages([VENV], f"{sys.executable} -m venv needs")


def _ensure_packages(packages: list[str], what: str) -> None:
    if packages and not (os.geteuid() == 0 and _apt()):
        raise TestbedError(f"{what}:\n{_wish(packages, apt=_apt())}")
    _install(packages)


def _apt() -> bool:
    return shutil.which("apt-get", path=_PLACES) is not None


def _install(packages: list[str]) -> None:
    if not packages:
        return
    print(f"installing Debian packages: {' '.join(packages)}", file=sys.stderr, flush=True)
    # dpkg and the packages' scripts run whatever a Debian has.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "PATH": DEBIAN_PATH}
    # Commands that run side by side find the same missing, and apt-get waits for no other.
    with cache.locked(paths.cache_dir() / "locks" / "apt"):
        for command in (["apt-get", "update"], install_command(packages)):
            _run(command, environment)


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise TestbedError(
            f"`{' '.join(command)}` failed with status {done.returncode}: "
            f"{(done.stderr or done.stdout).strip()}"
        )


def _check_kernel() -> None:
    # Loading is a try: on many kernels these are built in, or there are no modules at all.
    modprobe = Requirement("modprobe", "kmod").find() or "modprobe"
    subprocess.run(
        [modprobe, "-q", "-a", "overlay", "br_netfilter", "macvlan"],
        check=False,
        capture_output=True,
    )
    if "\toverlay\n" not in Path("/proc/filesystems").read_text():
        raise TestbedError("the kernel has no overlayfs, which containers need: modprobe overlay")


def main() -> int:
    """Install what has to be there before `make setup`; return the exit status."""
    try:
        ensure_venv()
    except TestbedError as failed:
        print(failed, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
