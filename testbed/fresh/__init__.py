"""`make fresh`: run Make's targets where there is nothing but Python, Go and git.

debootstrap makes the root file system of a Debian with only these; this machine lends its
Go, and tells how it reaches the package registries. Everything else has to come from what
the project declares. The root and all that it made are removed afterwards.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from testbed import cache, cgroups, guard, paths, prerequisites
from testbed.errors import TestbedError
from testbed.fresh import registries
from testbed.images.base import SUITE, bootstrap

_ROOT = paths.PROJECT / "build" / "fresh"
_PACKAGES = ("python3", "git", "make", "ca-certificates")
_GO = "/usr/local/go"
_CLONE = "/src/spidercoordinator"
_WIND_DOWN_SECONDS = 120.0

SHARE = "FRESH_SHARE_CACHES"
"""The environment variable that lends the caches of this machine, to be quick while working."""


def run(targets: list[str]) -> int:
    """Run Make's targets in a fresh root and return Make's exit status.

    Raises:
        TestbedError: root is missing, or the root file system cannot be made.
    """
    prerequisites.ensure()
    guard.enter()
    signal.signal(signal.SIGTERM, _terminated)
    started = time.monotonic()
    with (
        cache.locked(_ROOT.with_suffix(".lock"), "another `make fresh` runs here, waiting"),
        _root() as root,
        _cgroup() as group,
    ):
        _say(f"make {' '.join(targets)} in {root}, after {time.monotonic() - started:.0f} s")
        status = _enter(root, group, targets)
    _say(f"make {' '.join(targets)} ended with {status} after {time.monotonic() - started:.0f} s")
    return status


def _terminated(number: int, _frame: object) -> NoReturn:
    # As an exception, so that what was made is removed.
    sys.exit(128 + number)


@contextlib.contextmanager
def _cgroup() -> Iterator[str]:
    """Make the cgroup that holds all cgroups that are made inside."""
    name = cgroups.name_of(_ROOT, "fresh")
    cgroups.remove(name)
    try:
        cgroups.create(name)
        yield name
    finally:
        cgroups.remove(name)


@contextlib.contextmanager
def _root() -> Iterator[Path]:
    """Make the root file system, with the state of this clone that is committed."""
    shutil.rmtree(_ROOT, ignore_errors=True)
    try:
        _say(f"a Debian {SUITE} with {', '.join(_PACKAGES)}, by debootstrap")
        bootstrap(_ROOT, _PACKAGES)
        registries.bring(_ROOT, SUITE)
        _clone(_ROOT)
        yield _ROOT
    finally:
        _say("removing it")
        shutil.rmtree(_ROOT)


def _clone(root: Path) -> None:
    if _output("git", "status", "--porcelain", "--untracked-files=no"):
        _say("what is not committed is left out")
    target = root / _CLONE.lstrip("/")
    _output("git", "clone", "--quiet", "--no-hardlinks", str(paths.PROJECT), str(target))


def _output(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=paths.PROJECT)
    if done.returncode:
        raise TestbedError(f"`{' '.join(command)}` failed: {done.stderr.strip()}")
    return done.stdout


def _enter(root: Path, group: str, targets: list[str]) -> int:
    script = Path(__file__).with_name("enter.sh")
    command = ["setpriv", "--pdeathsig", "KILL", "sh", str(script), str(root), group, _binds()]
    command += ["env", "-C", _CLONE, "make", *targets]
    environment = {
        **registries.variables(os.environ),
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "PATH": os.environ["PATH"],
        "FRESH_PATH": f"{_GO}/bin:{prerequisites.DEBIAN_PATH}",
    }
    with subprocess.Popen(command, env=environment) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # Make has been told, too, and ends what it runs.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_WIND_DOWN_SECONDS)
            raise
        finally:
            # With its first process the kernel ends every process inside.
            process.kill()


def _binds() -> str:
    """Return what is lent, as enter.sh reads it."""
    goroot, modules, build = _output("go", "env", "GOROOT", "GOMODCACHE", "GOCACHE").split("\n")[:3]
    lent = [(goroot, _GO, "ro")]
    if os.environ.get(SHARE):
        lent += lend([modules, build, str(paths.cache_dir())])
    return "\n".join(" ".join(each) for each in lent)


def lend(folders: list[str]) -> list[tuple[str, str, str]]:
    """Return the binds of the caches for Go's modules, Go's builds and the testbed's own.

    Each is made where this machine has never built anything: a folder that is not there
    cannot be mounted.
    """
    for folder in folders:
        Path(folder).mkdir(parents=True, exist_ok=True)
    targets = ("go/pkg/mod", ".cache/go-build", f".cache/{Path(folders[-1]).name}")
    return [
        (folder, f"/root/{target}", "rw") for folder, target in zip(folders, targets, strict=True)
    ]


def _say(text: str) -> None:
    print(f"fresh: {text}", flush=True)
