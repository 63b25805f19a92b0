"""Make installed packages small, and the same in each build: `packages FOLDER INSTALLED`.

The Kubernetes client has a class for each type and each call of the API, 120 MB with their
bytecode. The operator speaks with the API server in plain JSON, through the client's transport and
login alone; of the classes it loads those of `_LOADED`, and the others go.
"""

from __future__ import annotations

import compileall
import os
import sys
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Final

GENERATED: Final = tuple(
    f"kubernetes/{client}/{kind}"
    for client in ("client", "aio/client")
    for kind in ("api", "models")
)
"""The folders of generated classes, one a module, each loaded when it is first asked for."""

LOADED: Final = frozenset(
    {
        "kubernetes/client/models/v1_managed_fields_entry.py",
        "kubernetes/client/models/v1_object_meta.py",
        "kubernetes/client/models/v1_owner_reference.py",
    }
)
"""What kopf loads of them; tests/unit/image compares."""

_BUILD_NOTES: Final = (".lock", "uv_cache.json", "uv_build.json", "direct_url.json")
"""Where and when uv installed something, which differs between builds."""


def unused(site_packages: Path) -> list[Path]:
    """The generated modules that the operator does not load, sorted.

    Raises:
        FileNotFoundError: a module that has to stay is not there, so the client is another one.
    """
    for name in LOADED:
        (site_packages / name).stat()
    return sorted(
        module
        for folder in GENERATED
        for module in (site_packages / folder).glob("*.py")
        if module.name != "__init__.py" and str(module.relative_to(site_packages)) not in LOADED
    )


def drop_build_notes(folder: Path) -> None:
    """Remove the files that say where and when packages were installed, also from their lists."""
    for name in _BUILD_NOTES:
        for note in folder.rglob(name):
            note.unlink()
            listing = note.parent / "RECORD"
            if listing.exists():
                lines = listing.read_text().splitlines(keepends=True)
                kept = [line for line in lines if f"/{name}," not in line]
                listing.write_text("".join(kept))


def compile_bytecode(folder: Path, installed: Path) -> None:
    """Write the bytecode of all modules below `folder`, which will be at `installed`.

    It does not depend on the files' times, for these are those of the build. One process compiles
    them in the order of their names, for what was compiled before shows in the bytecode.

    Raises:
        SystemExit: the hash seed is not fixed, or a module does not compile.
    """
    if os.environ.get("PYTHONHASHSEED") != "0":
        sys.exit("PYTHONHASHSEED has to be 0, or the order of sets differs between builds")
    done = compileall.compile_dir(
        folder,
        maxlevels=50,
        stripdir=str(folder),
        prependdir=str(installed),
        quiet=1,
        workers=1,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
    if not done:
        sys.exit(f"{folder}: not all modules compile")


def main() -> None:
    """Shrink and compile the packages of a folder for where they will be installed."""
    folder, installed = map(Path, sys.argv[1:])
    for site_packages in folder.glob("lib/python3.*/site-packages"):
        if (site_packages / "kubernetes").is_dir():
            for module in unused(site_packages):
                module.unlink()
        compile_bytecode(site_packages, installed / site_packages.relative_to(folder))
    drop_build_notes(folder)


if __name__ == "__main__":
    main()
