"""One run of a guest: its command, what it says while it works, and its outcome."""

import os
import shlex
import shutil
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from testbed import built, paths
from testbed.errors import TestbedError
from testbed.kernels import initramfs, programs, report
from testbed.kernels.kernel import Kernel
from testbed.kernels.machine import Machine
from testbed.kernels.root import Root
from testbed.kernels.suites import Suite
from testbed.progress import Progress

_PYTEST_OPTIONS = "PYTEST_ADDOPTS"
"""Pytest's own variable for further options; guests get it, too."""

_SOURCE = "/src"
_SHOW_EVERY = 15.0
_TAIL = 25
_TEST_SECONDS = 900


@dataclass(frozen=True)
class Run:
    """A suite on a kernel.

    Attributes:
        disks: the images of `Machine.disks`.
        home: the folder for its console and its results; emptied at the start.
        tests: pytest's arguments in place of the suite's own, if there are any.
        whole: a skipped test counts as a failure.
    """

    kernel: Kernel
    suite: Suite
    root: Root
    disks: tuple[Path, ...]
    home: Path
    tests: list[str]
    progress: Progress
    whole: bool

    def outcome(self, stopped: threading.Event) -> report.Outcome:
        """Boot the guest, wait for its end, and return what became of it.

        Raises:
            TestbedError: `stopped` was set meanwhile, or QEMU lacks something.
        """
        machine = self._machine()
        console = self.home / "console.log"
        self._say(f"Linux {self.kernel.version} boots; console in {console}")
        shown = 0.0

        def watch(seconds: float) -> None:
            nonlocal shown
            if stopped.is_set():
                raise TestbedError("interrupted")
            if seconds - shown >= _SHOW_EVERY:
                shown = seconds
                self._say(_last_line(console))

        spent = machine.run(console, self.suite.deadline, watch)
        begun = report.Outcome(
            self.kernel.name, self.suite.name, spent.seconds, spent.processor, whole=self.whole
        )
        result = self._read(begun, ended=spent.ended)
        counts = f"{result.passed} passed, {result.failed} failed, {result.skipped} skipped"
        self._say(result.trouble or counts)
        if not result.good:
            print(_end_of(console), flush=True)
        return result

    def _say(self, text: str) -> None:
        self.progress.say(f"{self.kernel.name} {self.suite.name}: {text}")

    def _machine(self) -> Machine:
        shutil.rmtree(self.home, ignore_errors=True)
        results = self.home / "results"
        results.mkdir(parents=True)
        (results / "command").write_text(command(self.suite, self.tests))
        return Machine(
            *(self.kernel, self.root, initramfs.ensure(self.kernel, self.root)),
            disks=self.disks,
            results=results,
            append=self.suite.append,
            devices=self.suite.devices,
        )

    def _read(self, begun: report.Outcome, *, ended: bool) -> report.Outcome:
        if not ended:
            limit = f"it had not powered off after {self.suite.deadline:.0f} s"
            return replace(begun, trouble=f"the guest was ended: {limit}")
        texts = [
            path.read_text() if path.exists() else ""
            for path in (self.home / "results/junit.xml", self.home / "results/status")
        ]
        return report.outcome(begun, *texts)


def command(suite: Suite, tests: list[str]) -> str:
    """Return the shell script that the guest runs."""
    built_folder = f"{_SOURCE}/{programs.FOLDER.relative_to(paths.PROJECT)}"
    environment = {built.VARIABLE: built_folder, "KERNELS_GUEST": suite.name}
    environment[_PYTEST_OPTIONS] = os.environ.get(_PYTEST_OPTIONS, "")
    options = ["--verbose", "--no-header", "--color=no", "--tb=short", "--durations=10"]
    # Workers would share one processor, and importing them takes a while.
    options += ["-p", "testbed.kernels.instant", "-p", "no:cacheprovider", "-p", "no:xdist"]
    options += [f"--timeout={_TEST_SECONDS}"]
    if suite.quick:
        # Its tests draw nothing, and at their end this would import all of hypothesis.
        options += ["-p", "no:hypothesispytest"]
    options += ["--junit-xml=/results/junit.xml", *(tests or suite.tests)]
    words = [*(f"{name}={value}" for name, value in environment.items())]
    return shlex.join(["env", *words, "/opt/venv/bin/python", "-m", "pytest", *options]) + "\n"


def _lines(console: Path) -> list[str]:
    text = console.read_text(errors="replace")
    return [line for line in text.splitlines() if line.strip()]


def _last_line(console: Path) -> str:
    lines = _lines(console)
    return lines[-1] if lines else "nothing said yet"


def _end_of(console: Path) -> str:
    return "\n".join(f"    {line}" for line in _lines(console)[-_TAIL:])
