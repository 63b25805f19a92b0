"""The clone as guests get it: a disk with its files and with programs that were built here."""

import os
import shutil
import tempfile
from pathlib import Path

from testbed import paths
from testbed.kernels import disk, programs
from testbed.kernels.root import Root

_BUILT = "build"
"""The folder with what was built."""


def write(root: Root, image: Path) -> None:
    """Write the image, with the programs that `programs.collect` has collected.

    Raises:
        TestbedError: it cannot be written.
    """
    with tempfile.TemporaryDirectory(dir=image.parent) as staged:
        tree = Path(staged)
        copy(paths.PROJECT, tree)
        target = tree / programs.FOLDER.relative_to(paths.PROJECT)
        shutil.copytree(programs.FOLDER, target, symlinks=True, copy_function=_link)
        disk.make(root.mke2fs(), tree, image)


def copy(project: Path, target: Path) -> None:
    """Copy what belongs to the project itself: nothing hidden, and nothing that was built."""
    for path in project.iterdir():
        if path.name.startswith(".") or path.name == _BUILT:
            continue
        if path.is_dir():
            ignored = shutil.ignore_patterns(".*", "__pycache__")
            shutil.copytree(path, target / path.name, symlinks=True, ignore=ignored)
        else:
            shutil.copy2(path, target / path.name)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
