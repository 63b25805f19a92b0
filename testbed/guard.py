"""A PATH that holds the declared programs and nothing else.

What is not declared in `prerequisites` is then not found on any machine, also where
somebody has installed it by hand. `python -m testbed.guard` prints that PATH, for Make.
"""

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from testbed import built, paths, prerequisites
from testbed.errors import TestbedError


def enter() -> None:
    """Make the guard's PATH the one of this process and of all that it starts.

    Raises:
        TestbedError: the links cannot be written.
    """
    os.environ["PATH"] = str(ensure())


def ensure() -> Path:
    """Return the folder with a link to each declared program that the machine has.

    Raises:
        TestbedError: the links cannot be written.
    """
    declared = (*prerequisites.REQUIREMENTS, *prerequisites.OTHERS)
    if built.folder() is not None:
        declared += prerequisites.GUEST
    for folder, absolute in ((paths.PROGRAMS, False), (paths.PLUGINS, True)):
        wanted = [each for each in declared if Path(each.program).is_absolute() == absolute]
        fill(folder, {Path(each.program).name: each.find() for each in wanted})
    return paths.PROGRAMS


def fill(folder: Path, links: Mapping[str, Path | None]) -> None:
    """Make `folder` hold these links; what is right stays, for others may be using it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for link in folder.iterdir():
            # A link that still leads to a program was found by a PATH that this process lacks.
            if link.name not in links or not link.exists():
                link.unlink(missing_ok=True)
        for name, target in links.items():
            link = folder / name
            if target is not None and not (link.is_symlink() and link.readlink() == target):
                _link(link, target)
    except PermissionError as refused:
        raise TestbedError(f"{folder}: cannot write ({refused}); remove it as its owner") from None


def _link(link: Path, target: Path) -> None:
    """Make or replace a link in one step."""
    # Made outside the folder, in which every name can be run.
    with tempfile.TemporaryDirectory(dir=link.parent.parent) as aside:
        made = Path(aside) / link.name
        made.symlink_to(target)
        made.rename(link)


def main() -> int:
    """Install what unit tests need, if anything is missing, and print the guard's PATH."""
    try:
        prerequisites.ensure_unit()
        print(ensure())
    except TestbedError as failed:
        print(failed, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
