"""A guest: QEMU's command line, its run with a deadline, and its console's log.

The guest gets no network that leads anywhere. What it sees of the host are read-only folders, and
one folder for its results.
"""

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
_PROCESSORS = 2
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
class Machine:
    """A guest that runs one command and powers off."""

    kernel: Kernel
    root: Root
    site: Path  # Python's packages
    initramfs: Path
    project: Path
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
            *("-accel", _accelerator(), "-cpu", "max", "-machine", "q35"),
            *("-m", str(MEMORY_MIB), "-smp", str(_PROCESSORS)),
            *("-kernel", str(self.kernel.image), "-initrd", str(self.initramfs)),
            *("-append", " ".join(words)),
            *_share("root", folder),
            *_share("modules", self.kernel.modules.parent),
            *_share("site", self.site),
            *_share("project", self.project),
            *_share("results", self.results, writable=True),
            *self.devices,
        ]

    def run(self, console: Path, deadline: float, watch: Callable[[float], None]) -> bool:
        """Boot it and wait for its end; say whether it came within `deadline` seconds.

        `watch` is called every second with the seconds since the start.
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
            try:
                while (seconds := time.monotonic() - started) < deadline:
                    try:
                        process.wait(_LOOK_EVERY)
                    except subprocess.TimeoutExpired:
                        watch(seconds)
                    else:
                        return True
                return False
            finally:
                process.kill()


def _accelerator() -> str:
    name = os.environ.get(ACCELERATOR) or "tcg"
    return "tcg,thread=multi" if name == "tcg" else name


def _share(tag: str, folder: Path, *, writable: bool = False) -> list[str]:
    # A comma ends a path; two are one.
    path = str(folder).replace(",", ",,")
    option = f"local,path={path},mount_tag={tag},security_model=none,multidevs=remap"
    return ["-virtfs", option if writable else f"{option},readonly=on"]
