"""A kernel that guests boot: an image, and the folder of its modules."""

from dataclasses import dataclass
from pathlib import Path

from testbed.errors import TestbedError
from testbed.kernels.root import SERIES, Root


@dataclass(frozen=True)
class Kernel:
    """A kernel as it lies on the host."""

    name: str  # as tables and folders call it
    image: Path
    modules: Path  # lib/modules/VERSION, with modules.dep

    @property
    def version(self) -> str:
        """The version as `uname -r` tells it."""
        return self.modules.name

    @property
    def base(self) -> Path:
        """The folder above lib/modules, as modprobe's --dirname has it."""
        return self.modules.parents[2]


def find(wanted: str, root: Root) -> Kernel:
    """Return the kernel that a word names: a series of Debian's, or `IMAGE:MODULES`.

    Raises:
        TestbedError: there is no such series, or a file is missing.
    """
    if ":" in wanted:
        return _other(wanted)
    if wanted not in SERIES:
        raise TestbedError(
            f"KERNELS names {wanted!r}: allowed are {', '.join(SERIES)}, and for other kernels "
            "IMAGE:MODULES, for example /boot/vmlinuz-6.6.1:/lib/modules/6.6.1"
        )
    base = root.kernels() / wanted
    (modules,) = (base / "lib/modules").iterdir()
    return Kernel(wanted, base / "boot" / f"vmlinuz-{modules.name}", modules)


def _other(wanted: str) -> Kernel:
    image, _, modules = wanted.partition(":")
    kernel = Kernel(Path(modules).name, Path(image).resolve(), Path(modules).resolve())
    if not kernel.image.is_file():
        raise TestbedError(f"KERNELS names {wanted!r}: there is no kernel image {image}")
    if not (kernel.modules / "modules.dep").is_file():
        raise TestbedError(
            f"KERNELS names {wanted!r}: {modules} has no modules.dep; give the folder "
            "lib/modules/VERSION after `depmod VERSION`"
        )
    if kernel.modules.parts[-3:-1] != ("lib", "modules"):
        raise TestbedError(
            f"KERNELS names {wanted!r}: the modules are in {modules}; modprobe finds them in a "
            "folder lib/modules/VERSION only"
        )
    return kernel
