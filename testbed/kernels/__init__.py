"""`make kernels`: run tests on stock kernels, in virtual machines.

A guest boots a kernel with a Debian of the cache as its root, sees this clone read-only below a
layer in memory, runs pytest, and powers off. See docs/kernels.md.
"""

import os
import shlex
import shutil
from pathlib import Path

from testbed import built, cache, guard, paths, prerequisites
from testbed.kernels import initramfs, programs, report, site, suites
from testbed.kernels import kernel as kernels
from testbed.kernels import root as guests
from testbed.kernels.machine import Machine
from testbed.progress import Progress

KERNELS, SUITES = "KERNELS", "SUITES"
"""The environment variables that choose kernels and suites, separated by spaces."""

_PYTEST_OPTIONS = "PYTEST_ADDOPTS"
"""Pytest's own variable for further options; guests get it, too."""

_HOME = paths.PROJECT / "build" / "kernels"
_SOURCE = "/src"
_SHOW_EVERY = 15.0
_TAIL = 25
_TEST_SECONDS = 900


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
        programs.collect()
        progress = Progress()
        outcomes = [_boot(found[name], suite, root, tests, progress) for name, suite in boots]
    print(report.table(outcomes))
    bad = [each for each in outcomes if not each.good]
    for each in bad:
        print(f"console and report: {_folder(each.kernel, each.suite)}")
    return 1 if bad else 0


def _folder(kernel: str, suite: str) -> Path:
    return _HOME / kernel / suite


def _boot(
    kernel: kernels.Kernel,
    suite: suites.Suite,
    root: guests.Root,
    tests: list[str],
    progress: Progress,
) -> report.Outcome:
    """Run one suite on one kernel."""
    home = _folder(kernel.name, suite.name)
    shutil.rmtree(home, ignore_errors=True)
    results = home / "results"
    results.mkdir(parents=True)
    (results / "command").write_text(_command(suite, tests))
    machine = Machine(
        *(kernel, root, site.ensure(root), initramfs.ensure(kernel, root), paths.PROJECT, results),
        append=suite.append,
        devices=suite.devices,
    )
    console = home / "console.log"
    title = f"{kernel.name} {suite.name}"
    progress.say(f"{title}: Linux {kernel.version} boots; console in {console}")
    started, shown = progress.seconds(), 0.0

    def watch(seconds: float) -> None:
        nonlocal shown
        if seconds - shown >= _SHOW_EVERY:
            shown = seconds
            progress.say(f"{title}: {_last_line(console)}")

    ended = machine.run(console, suite.deadline, watch)
    seconds = progress.seconds() - started
    result = _outcome(kernel.name, suite, seconds, results, ended=ended)
    counts = f"{result.passed} passed, {result.failed} failed, {result.skipped} skipped"
    progress.say(f"{title}: {result.trouble or counts}")
    if not result.good:
        print(_end_of(console), flush=True)
    return result


def _command(suite: suites.Suite, tests: list[str]) -> str:
    """Return the shell script that the guest runs."""
    built_folder = f"{_SOURCE}/{programs.FOLDER.relative_to(paths.PROJECT)}"
    environment = {built.VARIABLE: built_folder, "KERNELS_GUEST": suite.name}
    environment[_PYTEST_OPTIONS] = os.environ.get(_PYTEST_OPTIONS, "")
    options = ["--verbose", "--no-header", "--color=no", "--tb=short", "--durations=10"]
    options += [
        "-p",
        "testbed.kernels.instant",
        "-p",
        "no:cacheprovider",
        f"--timeout={_TEST_SECONDS}",
    ]
    if suite.quick:
        # Its tests draw nothing, and at their end this would import all of hypothesis.
        options += ["-p", "no:hypothesispytest"]
    options += ["--junit-xml=/results/junit.xml", *(tests or suite.tests)]
    words = [*(f"{name}={value}" for name, value in environment.items())]
    return shlex.join(["env", *words, "/opt/venv/bin/python", "-m", "pytest", *options]) + "\n"


def _outcome(
    kernel: str, suite: suites.Suite, seconds: float, results: Path, *, ended: bool
) -> report.Outcome:
    if not ended:
        trouble = f"the guest was ended: it had not powered off after {suite.deadline:.0f} s"
        return report.Outcome(kernel, suite.name, seconds, trouble=trouble)
    texts = [
        path.read_text() if path.exists() else ""
        for path in (results / "junit.xml", results / "status")
    ]
    return report.outcome(kernel, suite.name, seconds, *texts)


def _lines(console: Path) -> list[str]:
    text = console.read_text(errors="replace")
    return [line for line in text.splitlines() if line.strip()]


def _last_line(console: Path) -> str:
    lines = _lines(console)
    return lines[-1] if lines else "nothing said yet"


def _end_of(console: Path) -> str:
    return "\n".join(f"    {line}" for line in _lines(console)[-_TAIL:])
