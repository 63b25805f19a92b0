"""The Python packages of the guests: those of uv.lock, for the Python of their Debian."""

import os
import subprocess
import sys
from pathlib import Path

from testbed import cache, paths
from testbed.errors import TestbedError
from testbed.kernels.root import Root

_PYTHON = "3.11"
_CHECKERS = ("import-linter", "mypy", "ruff", "types-pyyaml")
"""Packages that no test in a guest imports."""


def ensure(root: Root) -> Path:
    """Return the folder of the packages; install them when it is absent.

    Raises:
        TestbedError: they cannot be had from here.
    """
    key = cache.key_of(paths.PROJECT / "uv.lock", Path(__file__))
    return cache.entry("kernels-site", key, lambda target: _install_site(target, root))


def _install_site(folder: Path, root: Root) -> None:
    uv = str(Path(sys.executable).with_name("uv"))
    wanted = folder.with_name("requirements.txt")
    export = ["export", "--frozen", "--no-emit-project", "--quiet", "--output-file", str(wanted)]
    _run(uv, *export, *(word for name in _CHECKERS for word in ("--prune", name)))
    versions = ["--python-version", _PYTHON, "--python-platform", "x86_64-manylinux_2_36"]
    _run(
        *(uv, "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"),
        *(*versions, "--target", str(folder), "--requirements", str(wanted)),
    )
    # Guests cannot keep what their Python compiles.
    compiling = root.command(f"usr/bin/python{_PYTHON}", "-m", "compileall", "-q", str(folder))
    _run(*compiling, PYTHONHOME=str(root.folder / "usr"))


def _run(*argv: str, **environment: str) -> None:
    done = subprocess.run(
        argv,
        check=False,
        capture_output=True,
        text=True,
        cwd=paths.PROJECT,
        env=os.environ | environment,
    )
    if done.returncode:
        raise TestbedError(
            f"kernels: `{' '.join(argv)}` failed (network to the Python package index?): "
            f"{done.stderr.strip()}"
        )
