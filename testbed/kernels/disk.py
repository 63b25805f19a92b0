"""Folders as disk images, which guests read at the speed of their own cache.

A shared folder answers each look-up by a message to QEMU, which is a millisecond where processors
are emulated, and importing pytest alone is thousands of them.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from testbed import cache
from testbed.errors import TestbedError
from testbed.kernels.root import Root

_BLOCK = 4096
_SPARE_BLOCKS = 8192
_SPARE_INODES = 1024
_INODES_A_BLOCK = 16
"""Inodes of 256 bytes each."""


@dataclass(frozen=True)
class Need:
    """How large a file system must be that holds a folder.

    Attributes:
        blocks: of 4096 bytes, with those of the file system itself.
        inodes: files, folders and links.
    """

    blocks: int
    inodes: int


def need(folder: Path) -> Need:
    """Return what a folder needs; a file with several names is counted once for each."""
    entries = [
        Path(parent, name)
        for parent, folders, files in os.walk(folder)
        for name in (*folders, *files)
    ]
    content = sum(-(-path.lstat().st_size // _BLOCK) for path in entries)
    inodes = len(entries) + _SPARE_INODES
    # A folder has a block at least, a large file has some for the list of its own.
    return Need(
        content + content // 16 + inodes + inodes // _INODES_A_BLOCK + _SPARE_BLOCKS, inodes
    )


def ensure(kind: str, root: Root, folder: Path) -> Path:
    """Return the image of a folder of the cache; make it when it is absent.

    Raises:
        TestbedError: it cannot be written.
    """
    key = cache.key_of(Path(__file__), str(folder))
    home = cache.entry(kind, key, lambda target: make(root.mke2fs(), folder, target / "image"))
    return home / "image"


def make(mke2fs: list[str], folder: Path, image: Path) -> None:
    """Write a folder into an ext4 image, which is never written again and has no journal.

    Args:
        mke2fs: the command of that program of Debian's e2fsprogs, which needs no mount for it.
        folder: what becomes the root of the file system.
        image: the file to write; what was there is replaced.

    Raises:
        TestbedError: it cannot be written, for example for want of disk space.
    """
    image.unlink(missing_ok=True)
    wanted = need(folder)
    options = ["-q", "-F", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-b", str(_BLOCK)]
    options += ["-N", str(wanted.inodes), "-d", str(folder), str(image), str(wanted.blocks)]
    done = subprocess.run([*mke2fs, *options], check=False, capture_output=True, text=True)
    if done.returncode:
        raise TestbedError(
            f"kernels: the disk image {image} cannot be made of {folder} (free disk space?): "
            f"{done.stderr.strip()}"
        )
