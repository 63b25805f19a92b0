"""Run commands as a user types them: through bash, with the testbed's tools on PATH.

Shared by the demo and the end-to-end tests. A command is shown and run from the same
text, so what is printed is what happened.
"""

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from testbed.errors import TestbedError

_PATIENCE = 180.0
"""Seconds after which a single command is given up."""

_PAUSE = 0.2
"""Seconds between two looks at something that is waited for."""


@dataclass(frozen=True)
class Result:
    """What a command printed, standard output and error in the order of a terminal."""

    text: str
    status: int
    output: str

    @property
    def ok(self) -> bool:
        """Whether it exited with 0."""
        return self.status == 0


@dataclass(frozen=True)
class Shell:
    """Where commands run: the kubeconfig, the folders to put before PATH, and where."""

    kubeconfig: Path
    bins: tuple[Path, ...] = ()
    folder: Path = field(default_factory=Path.cwd)

    def run(self, text: str, seconds: float = _PATIENCE) -> Result:
        """Run a command line to its end, whatever its status.

        Raises:
            TestbedError: it did not end in so many seconds.
        """
        try:
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", text],
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=seconds,
                cwd=self.folder,
                env=self.environment(),
            )
        except subprocess.TimeoutExpired as late:
            raise TestbedError(f"`{text}` did not end in {seconds:.0f} s") from late
        return Result(text, done.returncode, done.stdout)

    def output(self, text: str) -> str:
        """Run a command line that must succeed and return what it printed.

        Raises:
            TestbedError: it failed; the text has its output.
        """
        result = self.run(text)
        if not result.ok:
            raise TestbedError(
                f"`{text}` failed with status {result.status}: {result.output.strip()}"
            )
        return result.output

    def wait(self, text: str, good: Callable[[Result], bool], seconds: float) -> Result:
        """Run a command line again and again until its result is good; return the last one.

        The caller looks at the result, which is not good when the time was over.
        """
        deadline = time.monotonic() + seconds
        while True:
            result = self.run(text)
            if good(result) or time.monotonic() > deadline:
                return result
            time.sleep(_PAUSE)

    def environment(self) -> Mapping[str, str]:
        """Return the environment of the commands."""
        path = os.pathsep.join([*map(str, self.bins), os.environ.get("PATH", os.defpath)])
        return {**os.environ, "PATH": path, "KUBECONFIG": str(self.kubeconfig)}
