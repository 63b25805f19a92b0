"""The operator's image: small, with all that the operator loads and nothing to log in with."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.images.archive import Archive

LIMIT = 150_000_000
"""Bytes of all layers, uncompressed."""

LOADS_EVERYTHING = """
import importlib, pkgutil, ssl, sysconfig
from pathlib import Path
import kopf, spidercoordinator, yaml
for module in pkgutil.walk_packages(spidercoordinator.__path__, "spidercoordinator."):
    importlib.import_module(module.name)
for library in Path(sysconfig.get_path("stdlib"), "lib-dynload").glob("*.so"):
    importlib.import_module(library.name.split(".")[0])
assert yaml.CSafeLoader
assert ssl.create_default_context().get_ca_certs()
assert Path(spidercoordinator.core.__cached__).exists()
print("all loaded")
"""


@pytest.fixture(scope="module")
def root(product: dict[str, Archive], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("operator")
    product["operator"].unpack(folder)
    folder.chmod(0o755)
    return folder


def run(root: Path, *command: str) -> str:
    """Run a program of the image in it, as the user that its containers are."""
    inside = ("unshare", f"--root={root}", "--setgid=65532", "--setuid=65532", *command)
    return subprocess.run(inside, check=True, capture_output=True, text=True, timeout=120).stdout


def test_the_image_is_below_its_limit(product: dict[str, Archive]) -> None:
    assert product["operator"].size() < LIMIT


def test_everything_that_the_operator_may_load_is_there(root: Path) -> None:
    python = "/opt/spidercoordinator/bin/python"
    assert run(root, python, "-c", LOADS_EVERYTHING) == "all loaded\n"


def test_its_command_runs(root: Path) -> None:
    assert "version 0." in run(root, "/opt/spidercoordinator/bin/spidercoordinator", "--version")


def test_there_is_no_shell_and_no_package_manager(root: Path) -> None:
    programs = {path.name for folder in ("bin", "usr/bin") for path in (root / folder).iterdir()}
    assert not programs & {"sh", "bash", "dash", "apt", "apt-get", "dpkg", "perl", "pip"}
    assert any(name.startswith("python3") for name in programs)


def test_nobody_but_root_may_write_in_it(root: Path) -> None:
    writable = [
        path
        for path in root.rglob("*")
        if not path.is_symlink() and path.stat().st_mode & 0o022 and path.name != "tmp"
    ]
    assert writable == []


def test_scanners_find_the_debian_packages(root: Path) -> None:
    found = {path.name for path in (root / "var/lib/dpkg/status.d").iterdir()}
    assert {"libc6", "libssl3"} <= found
    assert "apt" not in found
