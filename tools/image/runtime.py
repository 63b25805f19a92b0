"""Copy of a base image what Python needs to run: `runtime BASE PACKAGES TARGET`.

The interpreter, its library, the shared libraries that these and the packages name, and the files
that the C library and OpenSSL read. No shell, no package manager, and nothing of the platform is
run. Debian's list of packages is kept for what was taken, as scanners read it
(/var/lib/dpkg/status.d, the form of distroless images).
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from tools.image.packages import compile_bytecode

_FOLDERS: Final = (
    "bin",
    "dev",
    "proc",
    "root",
    "run",
    "sbin",
    "sys",
    "tmp",
    "usr/bin",
    "usr/lib",
    "var/tmp",
)
_LINKS: Final = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
"""Links into /usr where the base has them."""

_WANTED: Final = (
    *("usr/bin/python3", "usr/bin/python3.*[0-9]", "usr/lib/python3.*[0-9]", "etc/python3.*[0-9]"),
    *("usr/local/bin/python3", "usr/local/bin/python3.*[0-9]", "usr/local/lib/python3.*[0-9]"),
    *("etc/ssl", "usr/lib/ssl", "usr/share/ca-certificates", "usr/share/zoneinfo", "etc/localtime"),
    *("etc/passwd", "etc/group", "etc/nsswitch.conf", "etc/host.conf", "etc/gai.conf"),
    *("etc/protocols", "etc/services", "etc/mime.types", "etc/os-release", "usr/lib/os-release"),
    *("etc/debian_version", "etc/ld.so.conf", "etc/ld.so.conf.d", "etc/ld.so.cache"),
)
"""Python and what it reads, as patterns below the base's root. What a base lacks is left out."""

_NOT_WANTED: Final = frozenset(
    {
        *("__pycache__", "site-packages", "dist-packages", "ensurepip", "venv", "test"),
        *("idlelib", "lib2to3", "pydoc_data", "tkinter", "turtledemo", "turtle.py"),
    }
)
"""Parts of Python's library for those who write programs, and bytecode, which is made anew."""

_BUILD_FILES: Final = re.compile(r"config-3\.\d+-.*|.*\.a|.*\.o")


def main() -> None:
    """Copy, compile, and note the packages of what was copied."""
    base, packages, target = (Path(argument).resolve() for argument in sys.argv[1:])
    root = Runtime(base, target)
    root.copy_wanted()
    root.copy_libraries([target, packages])
    for library in sorted(
        {*target.glob("usr/lib/python3.*"), *target.glob("usr/local/lib/python3.*")}
    ):
        compile_bytecode(library, Path("/") / library.relative_to(target))
    note_packages(base, target)


class Runtime:
    """What is copied from one root to another; paths are relative to both."""

    def __init__(self, base: Path, target: Path) -> None:
        self._base = base
        self._target = target
        self._libraries = _libraries(base)

    def copy_wanted(self) -> None:
        """Copy Python, the files that it reads, and the folders that a container has.

        Raises:
            SystemExit: the base has no Python.
        """
        for name in _LINKS:
            if (self._base / name).is_symlink():
                self._copy(self._base / name)
        for name in _FOLDERS:
            if not (self._target / name).is_symlink():
                (self._target / name).mkdir(parents=True, exist_ok=True)
        for name in ("tmp", "var/tmp"):
            (self._target / name).chmod(0o1777)
        for pattern in _WANTED:
            for found in sorted(self._base.glob(pattern)):
                self._copy(found)
        if not [*self._target.glob("usr/**/bin/python3.*")]:
            sys.exit(f"{self._base} has no python3 in /usr/bin or /usr/local/bin")

    def copy_libraries(self, folders: Iterable[Path]) -> None:
        """Copy the shared libraries that programs and libraries in the folders need, with theirs.

        Raises:
            SystemExit: one is in neither the base nor the folders.
        """
        open_files = [file for folder in folders for file in _elf_files(folder)]
        own = {file.name for file in open_files}
        seen = set(own)
        while open_files:
            user = open_files.pop()
            libraries, loader = linked(user)
            if loader:
                self._copy_loader(loader)
            for name in libraries:
                if name in seen:
                    continue
                seen.add(name)
                if (found := self._libraries.get(name)) is None:
                    sys.exit(f"{user} needs {name}, which {self._base} does not have")
                self._copy(found)
                open_files.append(found)

    def _copy_loader(self, path: str) -> None:
        """Copy the loader at the path that the kernel will look at, and what it is a link to."""
        named = self._base / path.lstrip("/")
        if named.exists() or named.is_symlink():
            self._copy(named.parent.resolve() / named.name)

    def _copy(self, source: Path) -> None:
        """Copy a file, a folder or a link, and where a link leads to."""
        target = self._target / source.relative_to(self._base)
        if source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.is_symlink():
                target.symlink_to(source.readlink())
            leads_to = self._inside(source)
            if leads_to.is_file():
                self._copy(leads_to)
        elif source.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            shutil.copystat(source, target)
            for entry in sorted(source.iterdir()):
                if entry.name not in _NOT_WANTED and not _BUILD_FILES.fullmatch(entry.name):
                    self._copy(entry)
        elif source.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)

    def _inside(self, link: Path) -> Path:
        """Where a link leads to, absolute ones from the base's root."""
        text = str(link.readlink())
        if text.startswith("/"):
            return self._base / text[1:]
        return link.parent.resolve() / text


def linked(file: Path) -> tuple[list[str], str]:
    """The names of the libraries that an ELF file is linked with, and the path of its loader."""
    with file.open("rb") as handle:
        elf = ELFFile(handle)
        libraries = [
            tag.needed  # type: ignore[attr-defined]  # pyelftools names it as the tag
            for section in elf.iter_sections()
            if isinstance(section, DynamicSection)
            for tag in section.iter_tags("DT_NEEDED")
        ]
        loaders = [each for each in elf.iter_segments() if isinstance(each, InterpSegment)]
        return libraries, loaders[0].get_interp_name() if loaders else ""


def _elf_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.suffix != ".py" and _is_elf(path):
            yield path


def _is_elf(path: Path) -> bool:
    with path.open("rb") as handle:
        if handle.read(4) != b"\x7fELF":
            return False
        try:
            ELFFile(handle)
        except ELFError:
            return False
        return True


def _libraries(base: Path) -> dict[str, Path]:
    """Where the base has a shared library, by name; the loader's order."""
    found: dict[str, Path] = {}
    for folder in ("usr/local/lib", "usr/lib/*-linux-gnu", "lib/*-linux-gnu", "lib64", "lib"):
        for library in sorted(base.glob(f"{folder}/*.so*")):
            found.setdefault(library.name, library.parent.resolve() / library.name)
    return found


def note_packages(base: Path, target: Path) -> None:
    """Write what dpkg knows of each package that a copied file is of."""
    status = base / "var/lib/dpkg/status"
    if not status.exists():
        return
    notes = target / "var/lib/dpkg/status.d"
    notes.mkdir(parents=True, exist_ok=True)
    for paragraph in status.read_text().split("\n\n"):
        fields = dict(re.findall(r"^([A-Z][\w-]*): (.*)$", paragraph, re.MULTILINE))
        if "Package" in fields and _is_taken(base, target, fields):
            (notes / fields["Package"]).write_text(paragraph.strip() + "\n")


def _is_taken(base: Path, target: Path, fields: dict[str, str]) -> bool:
    package, architecture = fields["Package"], fields.get("Architecture", "")
    for name in (f"{package}:{architecture}.list", f"{package}.list"):
        listed = base / "var/lib/dpkg/info" / name
        if listed.exists():
            files = [target / line.lstrip("/") for line in listed.read_text().splitlines()]
            return any(file.is_file() for file in files)
    return False


if __name__ == "__main__":
    main()
