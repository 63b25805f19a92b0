"""A guest: QEMU's command line, its run with a deadline, and its console's log.

The guest gets no network that leads anywhere. What it sees of the host are read-only disks and
folders, and one folder for its results.
"""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from testbed.kernels.kernel import Kernel
from testbed.kernels.root import Root

ACCELERATOR = "KERNELS_ACCELERATOR"
"""The environment variable with QEMU's accelerator: tcg, which works everywhere, or kvm."""

MEMORY_MIB = 3072
_PROCESSORS = 1
_CPU = "Nehalem,+rdrand"
"""A third less work than `max`, whose wide vectors and page tables are slow to emulate."""
_LOOK_EVERY = 1.0

_DATA = ("usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu")

_COMMAND_LINE = (
    *("console=ttyS0", "panic=-1", "quiet", "pci=assign-busses"),
    # Of no use where the processor is emulated, and slow.
    "mitigations=off",
    # On a busy host an emulated timer may miss the one event that it was set to: let it tick.
    *("nohz=off", "highres=off"),
)

CARD = (
    *("-device", "pcie-root-port,id=port1,slot=1"),
    # Something has to take the frames; with `restrict` it lets none of them out.
    *("-netdev", "user,id=card,restrict=on", "-device", "igb,netdev=card,bus=port1,romfile="),
)
"""QEMU's arguments for a network card with virtual functions."""


@dataclass(frozen=True)
class Spent:
    """What a run took: wall clock, and the host's processors, in seconds; and whether it ended."""

    seconds: float = 0.0
    processor: float = 0.0
    ended: bool = False


@dataclass(frozen=True)
class Machine:
    """A guest that runs one command and powers off."""

    kernel: Kernel
    root: Root
    initramfs: Path
    disks: tuple[Path, ...]  # images of the root, of Python's packages, and of the project
    results: Path  # writable; has the file `command`
    append: tuple[str, ...] = ()  # of the kernel's command line
    devices: tuple[str, ...] = ()

    def argv(self) -> list[str]:
        """Return QEMU's command line."""
        words = [*_COMMAND_LINE, *self.append]
        folder = self.root.folder
        data = [word for path in _DATA for word in ("-L", str(folder / path))]
        return [
            *self.root.command("usr/bin/qemu-system-x86_64", *data, "-nodefaults"),
            *("-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio"),
            *("-accel", _accelerator(), "-cpu", _CPU, "-machine", "q35"),
            *("-m", str(MEMORY_MIB), "-smp", str(_PROCESSORS)),
            *("-kernel", str(self.kernel.image), "-initrd", str(self.initramfs)),
            *("-append", " ".join(words)),
            *(word for number, image in enumerate(self.disks) for word in _disk(number, image)),
            *_share("modules", self.kernel.modules.parent),
            *_share("results", self.results, writable=True),
            *self.devices,
        ]

    def run(self, console: Path, deadline: float, watch: Callable[[float], None]) -> Spent:
        """Boot it, and wait for its end for `deadline` seconds.

        `watch` is called every second with the seconds since the start; what it raises ends the
        guest.
        """
        # It ends with this process, and with it whatever runs inside.
        command = ["setpriv", "--pdeathsig", "KILL", *self.argv()]
        started = time.monotonic()
        with (
            console.open("wb") as output,
            subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            ) as process,
        ):
            spent = Spent()
            try:
                while spent.seconds < deadline and not spent.ended:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(_LOOK_EVERY)
                    spent = Spent(
                        time.monotonic() - started,
                        # Of a process that was waited for nothing is left to read.
                        _processor_seconds(process.pid) or spent.processor,
                        process.returncode is not None,
                    )
                    watch(spent.seconds)
                return spent
            finally:
                process.kill()


def _processor_seconds(pid: int) -> float:
    """Return the time that a process has had of processors, 0 when there is none of that number."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return 0.0
    # After the name, which may have spaces, utime and stime are the 12th and 13th.
    user, system = text.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _accelerator() -> str:
    name = os.environ.get(ACCELERATOR) or "tcg"
    return "tcg,thread=multi" if name == "tcg" else name


def _disk(number: int, image: Path) -> list[str]:
    # The host's kernel caches what guests read, and several of them may read it.
    drive = f"id=disk{number},if=none,format=raw,readonly=on,file={_escaped(image)}"
    return ["-drive", drive, "-device", f"virtio-blk-pci,drive=disk{number}"]


def _share(tag: str, folder: Path, *, writable: bool = False) -> list[str]:
    option = f"local,path={_escaped(folder)},mount_tag={tag},security_model=none,multidevs=remap"
    return ["-virtfs", option if writable else f"{option},readonly=on"]


def _escaped(path: Path) -> str:
    # A comma ends a path; two are one.
    return str(path).replace(",", ",,")
