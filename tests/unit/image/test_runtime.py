"""What is copied of a base image: what Python needs, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.image.runtime import Runtime, linked, note_packages

PYTHON = Path(sys.executable).resolve()


@pytest.fixture(params=["usr", "usr/local"])
def prefix(request: pytest.FixtureRequest) -> str:
    """Where a base has Python: Debian's own, and the one of the images `python`."""
    return str(request.param)


@pytest.fixture
def base(tmp_path: Path, prefix: str) -> Path:
    """A root of links into /usr, this machine's Python, and what is of no use to it."""
    root = tmp_path / "base"
    library = root / prefix / "lib/python3.99"
    for folder in ("usr/bin", f"{prefix}/bin", "usr/lib/x86_64-linux-gnu", "etc/ssl"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (library / "json").mkdir(parents=True)
    for name in ("bin", "lib"):
        (root / name).symlink_to(f"usr/{name}")
    shutil.copy2(PYTHON, root / prefix / "bin/python3.99")
    (root / prefix / "bin/python3").symlink_to("python3.99")
    for name in ("usr/bin/sh", "usr/bin/apt", "etc/ssl/openssl.cnf", "etc/passwd", "etc/shadow"):
        (root / name).write_text(name)
    for name in ("json/__init__.py", "turtle.py", "os.py", "libpython3.99.a"):
        (library / name).write_text("")
    (library / "ensurepip").mkdir()
    (library / "ensurepip/pip.whl").write_text("")
    return root


def names(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}


def test_python_and_what_it_reads_is_copied_and_no_shell(
    base: Path, prefix: str, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    Runtime(base, target).copy_wanted()
    assert names(target) == {
        *(f"{prefix}/bin/python3", f"{prefix}/bin/python3.99"),
        *(f"{prefix}/lib/python3.99/json/__init__.py", f"{prefix}/lib/python3.99/os.py"),
        *("etc/ssl/openssl.cnf", "etc/passwd"),
    }
    assert (target / "bin").readlink() == Path("usr/bin")
    assert (target / "tmp").stat().st_mode & 0o7777 == 0o1777


def test_a_base_without_python_is_refused(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    with pytest.raises(SystemExit, match="has no python3 in /usr/bin or /usr/local/bin"):
        Runtime(tmp_path / "base", tmp_path / "target").copy_wanted()


def test_a_library_that_nobody_has_is_named_with_its_user(base: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    root = Runtime(base, target)
    root.copy_wanted()
    with pytest.raises(SystemExit, match=r"python3.99 needs \S+\.so\S*, which \S+ does not have"):
        root.copy_libraries([target])


def test_libraries_are_copied_with_the_links_that_lead_to_them(base: Path, tmp_path: Path) -> None:
    wanted, target = base / "usr/lib/x86_64-linux-gnu", tmp_path / "target"
    libraries, _ = linked(PYTHON)
    assert libraries
    for name in libraries:
        # Any ELF file will do; this one needs the same libraries.
        shutil.copy2(PYTHON, wanted / f"{name}.real")
        (wanted / name).symlink_to(f"{name}.real")
    (wanted / "libofnobody.so.1").write_text("")
    root = Runtime(base, target)
    root.copy_wanted()
    root.copy_libraries([target])
    copied = {path.name for path in (target / "usr/lib/x86_64-linux-gnu").iterdir()}
    assert copied == {each for name in libraries for each in (name, f"{name}.real")}


def test_scanners_are_told_of_the_packages_that_were_copied(
    base: Path, prefix: str, tmp_path: Path
) -> None:
    info = base / "var/lib/dpkg/info"
    info.mkdir(parents=True)
    status = "Package: {}\nArchitecture: amd64\nVersion: 1.0\n"
    packages = ("python3.99", "apt")
    (base / "var/lib/dpkg/status").write_text("\n".join(status.format(name) for name in packages))
    for name, program in (("python3.99:amd64", "python3.99"), ("apt", "apt")):
        listed = (".", prefix, f"{prefix}/bin", f"{prefix}/bin/{program}")
        (info / f"{name}.list").write_text("".join(f"/{path}\n" for path in listed))
    target = tmp_path / "target"
    Runtime(base, target).copy_wanted()
    note_packages(base, target)
    [note] = (target / "var/lib/dpkg/status.d").iterdir()
    assert note.read_text() == status.format("python3.99")


def test_what_a_program_is_linked_with_is_what_the_loader_says() -> None:
    shown = subprocess.run(
        [linked(PYTHON)[1], "--list", str(PYTHON)], check=True, capture_output=True, text=True
    )
    loaded = {line.split()[0].rpartition("/")[2] for line in shown.stdout.splitlines()}
    assert set(linked(PYTHON)[0]) <= loaded
