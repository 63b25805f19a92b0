"""The initial root of a guest: busybox, and the modules by which the guest gets at its files."""

import lzma
import shutil
import subprocess
import tempfile
from pathlib import Path

from testbed import cache
from testbed.errors import TestbedError
from testbed.kernels.kernel import Kernel
from testbed.kernels.root import Root

_INIT = Path(__file__).with_name("init")
_WANTED = ("virtio_pci", "virtio_blk", "ext4", "9pnet_virtio", "9p", "overlay")
"""Modules; a kernel may have them built in."""

_FOLDERS = ("bin", "dev", "layers", "modules", "proc", "root", "sys")


def ensure(kernel: Kernel, root: Root) -> Path:
    """Return the initramfs of a kernel, as a file of the cache.

    Raises:
        TestbedError: the kernel lacks a module that it needs.
    """
    dependencies = kernel.modules / "modules.dep"
    key = cache.key_of(_INIT, Path(__file__), str(root.folder), str(kernel.modules), dependencies)
    home = cache.entry("kernels-initramfs", key, lambda target: _build(target, kernel, root))
    return home / "initramfs"


def _build(target: Path, kernel: Kernel, root: Root) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as staged:
        tree = Path(staged)
        for name in _FOLDERS:
            (tree / name).mkdir()
        shutil.copy(root.folder / "bin/busybox", tree / "bin/busybox")
        shutil.copy(_INIT, tree / "init")
        (tree / "init").chmod(0o755)
        modules = _modules(kernel, root)
        for module in modules:
            (tree / "modules" / _plain(module)).write_bytes(_content(module))
        order = "".join(f"{_plain(module)}\n" for module in modules)
        (tree / "modules/order").write_text(order)
        names = sorted(str(path.relative_to(tree)) for path in tree.rglob("*"))
        with (target / "initramfs").open("wb") as archive:
            subprocess.run(
                root.command("usr/bin/cpio", "--quiet", "--create", "--format=newc"),
                input="\n".join(names).encode(),
                stdout=archive,
                cwd=tree,
                check=True,
            )


def _modules(kernel: Kernel, root: Root) -> list[Path]:
    """Return the files of the wanted modules and of what these need, in order of loading."""
    found: dict[Path, None] = {}
    for name in _WANTED:
        arguments = ["--dirname", str(kernel.base), "--set-version", kernel.version]
        done = subprocess.run(
            root.command("sbin/modprobe", *arguments, "--show-depends", name),
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise TestbedError(
                f"kernel {kernel.version} lacks the module {name}, by which a guest gets its "
                f"files: {done.stderr.strip()}"
            )
        found |= dict.fromkeys(loaded(done.stdout))
    return list(found)


def loaded(text: str) -> list[Path]:
    """Return the files in the answer of `modprobe --show-depends`; `builtin` lines have none."""
    words = [line.split() for line in text.splitlines()]
    return [Path(line[1]) for line in words if line[:1] == ["insmod"]]


def _plain(module: Path) -> str:
    return module.name.removesuffix(".xz")


def _content(module: Path) -> bytes:
    data = module.read_bytes()
    # busybox loads what is not compressed.
    return lzma.decompress(data) if module.suffix == ".xz" else data
