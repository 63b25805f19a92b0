"""`make kernels`: run tests on stock kernels, in virtual machines.

A guest boots a kernel with a Debian of the cache as its root, sees this clone read-only below a
layer in memory, runs pytest, and powers off. See docs/kernels.md.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from testbed import cache, guard, paths, prerequisites
from testbed.kernels import disk, programs, project, report, site, suites
from testbed.kernels import kernel as kernels
from testbed.kernels import root as guests
from testbed.kernels.run import Run
from testbed.progress import Progress

KERNELS, SUITES = "KERNELS", "SUITES"
"""The environment variables that choose kernels and suites, separated by spaces."""

_HOME = paths.PROJECT / "build" / "kernels"
_AT_ONCE = 2
"""Guests that run at the same time, each with one processor."""


def run(tests: list[str], *, quick: bool) -> int:
    """Run the chosen suites on the chosen kernels; return 1 when anything failed.

    `tests`, if there are any, take the place of the suites' own.

    Raises:
        TestbedError: something is missing, or a name is wrong.
    """
    prerequisites.ensure()
    guard.enter()
    chosen = suites.named(os.environ.get(SUITES, "").split())
    with cache.locked(_HOME.with_suffix(".lock"), "another `make kernels` runs here, waiting"):
        root = guests.ensure()
        wanted = os.environ.get(KERNELS, "").split() or list(guests.SERIES)
        boots = suites.boots(chosen, wanted, quick=quick)
        # All names are looked at before the first guest starts.
        found = {name: kernels.find(name, root) for name, _ in boots}
        disks = _disks(root)
        progress = Progress()
        guest_runs = [
            Run(found[name], suite, root, disks, _folder(name, suite.name), tests, progress, quick)
            for name, suite in boots
        ]
        outcomes = _all(guest_runs)
    print(report.table(outcomes))
    bad = [each for each in outcomes if not each.good]
    for each in bad:
        print(f"console and report: {_folder(each.kernel, each.suite)}")
    return 1 if bad else 0


def _folder(kernel: str, suite: str) -> Path:
    return _HOME / kernel / suite


def _disks(root: guests.Root) -> tuple[Path, ...]:
    """Return the images that every guest gets, in the order of `Machine.disks`."""
    clone = _HOME / "project.img"
    programs.collect()
    project.write(root, clone)
    packages = site.ensure(root)
    return (
        disk.ensure("kernels-root-disk", root, root.folder),
        disk.ensure("kernels-site-disk", root, packages),
        clone,
    )


def _all(guest_runs: list[Run]) -> list[report.Outcome]:
    """Run guests, some at a time; return their outcomes in the same order."""
    stopped = threading.Event()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            return list(pool.map(lambda each: each.outcome(stopped), guest_runs))
        except BaseException:
            # Whoever interrupts this does not wait for tests.
            stopped.set()
            pool.shutdown(cancel_futures=True)
            raise
