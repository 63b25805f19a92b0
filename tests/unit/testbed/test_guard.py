import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

from testbed import guard, paths, prerequisites
from testbed.prerequisites import DEBIAN_PATH, REQUIREMENTS, Requirement

PACKAGES = Path("/var/lib/dpkg/info")
# Docker's own package of containerd takes the place of Debian's two.
REPLACED_BY = {"containerd": "containerd.io", "runc": "containerd.io"}


def undeclared() -> Path:
    """A program that is installed here, and that nothing declares."""
    declared = {wanted.program for wanted in (*REQUIREMENTS, *prerequisites.OTHERS)}
    folders = [Path(name) for name in DEBIAN_PATH.split(":") if Path(name).is_dir()]
    programs = (path for folder in folders for path in sorted(folder.iterdir()))
    return next(path for path in programs if path.name not in declared and os.access(path, os.X_OK))


def test_a_test_cannot_run_what_is_not_declared() -> None:
    program = undeclared()
    with pytest.raises(FileNotFoundError):
        subprocess.run([program.name], check=False)
    done = subprocess.run(["sh", "-c", program.name], check=False, capture_output=True)
    assert done.returncode == 127


def test_a_test_can_run_what_is_declared() -> None:
    assert os.environ["PATH"] == str(paths.PROGRAMS)
    done = subprocess.run(["sh", "-c", "git --version | cat"], check=True, capture_output=True)
    assert done.stdout.startswith(b"git version")


@pytest.mark.skipif(not PACKAGES.is_dir(), reason="only Debian knows what its packages hold")
def test_every_program_is_of_the_package_that_is_declared() -> None:
    there = [(wanted, found) for wanted in REQUIREMENTS if (found := wanted.find())]
    assert len(there) >= len(prerequisites.UNIT)
    strangers = [
        f"{found} is not of {wanted.package}"
        for wanted, found in there
        if not held(wanted.package, found.resolve())
    ]
    assert not strangers


def held(package: str, path: Path) -> bool:
    """Tell whether an installed package holds a file, which may be listed by its old place."""
    names = {str(path), str(path).removeprefix("/usr")}
    lists = [
        file
        for name in (package, REPLACED_BY.get(package, package))
        for pattern in (f"{name}.list", f"{name}:*.list")
        for file in PACKAGES.glob(pattern)
    ]
    return any(names & set(file.read_text().splitlines()) for file in lists)


def test_no_file_of_a_package_is_named_outside_the_list() -> None:
    inside = re.compile(r"(?<!#!)/usr/(?:s?bin|lib|libexec|share)/\w")
    sources = [
        path
        for folder in ("testbed", "tests", "tools")
        for kind in ("*.py", "*.sh", "*.go")
        for path in (paths.PROJECT / folder).rglob(kind)
    ]
    named = {path.name for path in sources if inside.search(path.read_text())}
    assert named == {"prerequisites.py"}


def test_links_follow_what_the_machine_has(tmp_path: Path) -> None:
    folder, old, new = tmp_path / "bed" / "programs", tmp_path / "old", tmp_path / "new"
    old.touch()
    new.touch()
    guard.fill(folder, {"a": old, "b": old, "c": old, "d": None})
    assert links(folder) == {"a": old, "b": old, "c": old}
    guard.fill(folder, {"a": new, "b": None, "d": new})
    # `b` was found by a PATH that this process lacks; `c` is not declared any more.
    assert links(folder) == {"a": new, "b": old, "d": new}
    old.unlink()
    guard.fill(folder, {"a": new, "b": None})
    assert links(folder) == {"a": new}


def links(folder: Path) -> dict[str, Path]:
    return {path.name: path.readlink() for path in folder.iterdir()}


def test_a_program_of_many_names_learns_by_which_it_is_called(tmp_path: Path) -> None:
    many = tmp_path / "xtables-multi"
    many.write_text("#!/bin/sh\necho ${0##*/}\n")
    many.chmod(many.stat().st_mode | stat.S_IXUSR)
    alternative = tmp_path / "alternative"
    alternative.symlink_to(many)
    guard.fill(tmp_path / "bed" / "programs", {"iptables": alternative})
    program = tmp_path / "bed" / "programs" / "iptables"
    done = subprocess.run([program], check=True, capture_output=True, text=True)
    assert done.stdout == "iptables\n"


def test_inside_the_guard_a_program_is_found_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "go" / "go"
    program.parent.mkdir()
    program.touch(mode=0o755)
    guard.fill(tmp_path / "bed" / "programs", {"go": program})
    monkeypatch.setattr(paths, "PROGRAMS", tmp_path / "bed" / "programs")
    monkeypatch.setenv("PATH", str(tmp_path / "bed" / "programs"))
    assert Requirement("go").find() == program
