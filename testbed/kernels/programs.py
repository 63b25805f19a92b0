"""The programs that guests get: builds are slow where the processor is emulated."""

import os
import shutil
import subprocess
from pathlib import Path

from testbed import binaries, images, paths
from testbed.errors import TestbedError

FOLDER = paths.PROJECT / "build" / "kernels" / "programs"
_ISTIO = ("istio-iptables", "istio-ambient", "mesh-proxy")


def collect() -> Path:
    """Build what tests/cni and tests/istio run, and return the folder with all of it.

    Raises:
        TestbedError: Go is missing or a build fails.
    """
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    (FOLDER / "faulty").mkdir()
    _plugin(f"{FOLDER}/", "./cmd/...", "")
    _plugin(f"{FOLDER}/faulty/", "./cmd/coordinator", "faultinjection")
    for module in _ISTIO:
        shutil.copy2(images.go_binary(module), FOLDER / module)
    for program in binaries.ensure().iterdir():
        _bring(program, FOLDER / program.name)
    return FOLDER


def _plugin(target: str, package: str, tags: str) -> None:
    command = ["go", "build", "-trimpath", "-ldflags=-s -w", f"-tags={tags}", "-o", target, package]
    done = subprocess.run(
        command,
        cwd=paths.PROJECT / "cni",
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"CGO_ENABLED": "0"},
    )
    if done.returncode:
        raise TestbedError(f"`{' '.join(command)}` in cni/ failed: {done.stderr.strip()}")


def _bring(program: Path, target: Path) -> None:
    if program.is_symlink():
        target.symlink_to(program.readlink())
        return
    try:
        os.link(program, target)
    except OSError:
        # The cache may lie on another file system.
        shutil.copy2(program, target)
