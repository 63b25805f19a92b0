"""Results of builds, kept by the content of what went in.

An entry is a folder that is complete or absent: it is built under a temporary
name and renamed. A lock a kind keeps two clones from building the same thing at
the same time; the second one finds the first one's result.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from testbed.paths import cache_dir

_KEEP = 3
"""Entries kept of a kind: this one and the ones of two other states of the sources."""


def key_of(*parts: str | bytes | Path) -> str:
    """Return a short name for the content of `parts`; a Path stands for its file's bytes.

    Raises:
        OSError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else part
        data = content.encode() if isinstance(content, str) else content
        # The length keeps ("ab", "c") and ("a", "bc") apart.
        digest.update(f"{len(data)}:".encode())
        digest.update(data)
    return digest.hexdigest()[:20]


@contextlib.contextmanager
def locked(path: Path, waiting: str = "") -> Iterator[None]:
    """Hold an exclusive lock on `path`; print `waiting` when another process has it.

    The kernel drops the lock when the holder dies, so there is nothing to clean up.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting:
                print(waiting, flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def entry(kind: str, key: str, build: Callable[[Path], None]) -> Path:
    """Return the folder of an entry; call `build` with an empty folder when it is absent.

    Raises:
        Exception: what `build` raises; nothing is kept then.
    """
    home = cache_dir() / kind
    final = home / key
    if not final.is_dir():
        with locked(home / ".lock", f"{kind}: another process is building it, waiting"):
            if not final.is_dir():
                _build(final, build)
                _prune(home, final)
    # The time of last use decides what is pruned.
    os.utime(final)
    return final


def _build(final: Path, build: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory(dir=final.parent, prefix=".building-") as parent:
        folder = Path(parent) / final.name
        folder.mkdir()
        build(folder)
        folder.rename(final)


def _prune(home: Path, current: Path) -> None:
    # What a killed build left has no lock holder: this runs under the lock.
    for left in home.glob(".building-*"):
        shutil.rmtree(left)
    entries = [path for path in home.iterdir() if path.is_dir() and path != current]
    entries.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for old in entries[_KEEP - 1 :]:
        shutil.rmtree(old)
