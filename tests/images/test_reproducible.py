"""Two builds of the same sources give the same layers, and arm64 is built without emulation.

A build without buildah's cache takes a minute: what is the same twice cannot be seen otherwise.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from elftools.elf.elffile import ELFFile

from testbed import paths
from testbed.images import PRODUCT, build_target
from testbed.images.base import buildah
from tests.images.archive import Archive

SOURCES = (
    *("Dockerfile", ".dockerignore", "pyproject.toml", "uv.lock", "README.md", "LICENSE"),
    *("operator", "cni", "tools"),
)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """The sources in another folder, with other times, and the modes of another umask."""
    clone = tmp_path / "clone"
    clone.mkdir()
    for name in SOURCES:
        source = paths.PROJECT / name
        if source.is_dir():
            shutil.copytree(
                source,
                clone / name,
                copy_function=shutil.copyfile,
                ignore=shutil.ignore_patterns("__pycache__"),
            )
        else:
            shutil.copyfile(source, clone / name)
    for path in clone.rglob("*"):
        path.chmod(0o775 if path.is_dir() else 0o664)
    return clone


@pytest.fixture
def tag() -> Iterator[str]:
    name = f"localhost/spidercoordinator-test:{uuid4().hex}"
    yield name
    buildah("rmi", "--force", name)


@pytest.mark.parametrize("target", PRODUCT)
def test_a_second_build_gives_the_same_layers(
    target: str, product: dict[str, Archive], elsewhere: Path, tag: str, tmp_path: Path
) -> None:
    build_target(elsewhere, target, tag, "--layers", "--no-cache")
    again = tmp_path / "again.tar"
    buildah("push", "--quiet", tag, f"docker-archive:{again}:{tag}")
    assert Archive(again).layers() == product[target].layers()


@pytest.mark.parametrize(
    ("target", "folder"), [("packages", "opt/spidercoordinator"), ("cni", ".")]
)
def test_arm64_is_built_here_too(target: str, folder: str, tag: str, tmp_path: Path) -> None:
    build_target(paths.PROJECT, target, tag, "--layers", "--build-arg=TARGETARCH=arm64")
    built = tmp_path / "built.tar"
    buildah("push", "--quiet", tag, f"docker-archive:{built}:{tag}")
    root = tmp_path / "root"
    root.mkdir()
    Archive(built).unpack(root)
    machines = {machine for path in (root / folder).rglob("*") if (machine := _machine(path))}
    assert machines == {"EM_AARCH64"}


def _machine(path: Path) -> str:
    """What processor a file is for; empty when it is no program and no library."""
    if path.is_symlink() or not path.is_file():
        return ""
    with path.open("rb") as handle:
        if handle.read(4) != b"\x7fELF":
            return ""
        return str(ELFFile(handle).header["e_machine"])
