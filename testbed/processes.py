"""Daemons of the testbed: start, find again, stop; logs; waiting for a condition.

A process is found again by its pid together with its start time, so that a reused
pid is never taken for ours. Every process carries the state folder's path in its
environment, which is how `down` finds what an interrupted run left.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from testbed.errors import TestbedError

MARK = "SPIDERCOORDINATOR_TESTBED"
"""The environment variable that marks our processes; its value is the state folder."""

Condition = Callable[[], bool]
"""Something that is looked at again until it is true."""

_TAIL = 15
_START_TIME = 19  # field 22 of /proc/PID/stat, counted after the command's closing bracket


@dataclass(frozen=True)
class Process:
    """A running daemon as it is known to this process."""

    name: str
    pid: int
    started: int
    log: Path

    def alive(self) -> bool:
        """Tell whether it still runs."""
        return start_time(self.pid) == self.started


def start_time(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot; None when it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[_START_TIME])


def start(
    name: str,
    command: list[str],
    *,
    state: Path,
    pass_fds: tuple[int, ...] = (),
    environment: Mapping[str, str] | None = None,
) -> Process:
    """Start a daemon in a session of its own, its output in `state`/logs/NAME.log.

    Raises:
        TestbedError: its program is missing.
    """
    log = state / "logs" / f"{name}.log"
    record = state / "run" / f"{name}.json"
    for path in (log, record):
        path.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        try:
            popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=pass_fds,
                env={**os.environ, **(environment or {}), MARK: str(state)},
            )
        except FileNotFoundError as missing:
            raise TestbedError(f"{name}: {command[0]} is missing") from missing
    # Popen warns about children it has not waited for; daemons are meant to stay.
    popen.returncode = 0
    process = Process(name, popen.pid, start_time(popen.pid) or 0, log)
    record.write_text(json.dumps({"pid": process.pid, "started": process.started}))
    return process


def find(name: str, state: Path) -> Process | None:
    """Return the daemon of that name if it runs, also when another process started it."""
    try:
        record = json.loads((state / "run" / f"{name}.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    process = Process(name, record["pid"], record["started"], state / "logs" / f"{name}.log")
    return process if process.alive() else None


def names(state: Path) -> list[str]:
    """Return the names of all daemons that were ever started in this state."""
    return sorted(path.stem for path in (state / "run").glob("*.json"))


def marked(state: Path) -> Iterator[int]:
    """Yield the pid of every process that was started, directly or not, for this state."""
    mark = f"{MARK}={state}".encode()
    for path in Path("/proc").iterdir():
        if path.name.isdigit() and int(path.name) != os.getpid():
            # A process may end while it is looked at, and others are not ours to read.
            with contextlib.suppress(OSError):
                if mark in (path / "environ").read_bytes().split(b"\0"):
                    yield int(path.name)


def stop(pid: int, *, patience: float = 10.0) -> None:
    """End a process: SIGTERM, and SIGKILL when it is still there after `patience` seconds."""
    started = start_time(pid)
    for wish, deadline in ((signal.SIGTERM, patience), (signal.SIGKILL, 10.0)):
        if started is None or start_time(pid) != started:
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, wish)
        ends = time.monotonic() + deadline
        while start_time(pid) == started and time.monotonic() < ends:
            time.sleep(0.02)
    reap(pid)


def reap(pid: int) -> None:
    """Take the exit status of an ended child of ours, so that no zombie stays."""
    if start_time(pid) is None:
        with contextlib.suppress(ChildProcessError):
            # The first thread of a program ends before the others: wait for these.
            os.waitpid(pid, 0)


def tail(log: Path, lines: int = _TAIL) -> str:
    """Return the end of a log for an error message."""
    try:
        text = log.read_text(errors="replace")
    except FileNotFoundError:
        return "(no output)"
    return "\n".join(text.splitlines()[-lines:]) or "(no output)"


def wait_until(
    what: str,
    ready: Condition,
    *,
    seconds: float,
    watching: tuple[Process, ...] = (),
    log: Path | None = None,
) -> None:
    """Wait for a condition; give up at the deadline or when a process of `watching` ends.

    Raises:
        TestbedError: it did not come true; the text has the end of the log.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        for process in watching:
            if not process.alive():
                raise TestbedError(
                    f"{process.name} ended while waiting for {what}; the end of {process.log}:\n"
                    f"{tail(process.log)}"
                )
        if time.monotonic() > deadline:
            source = log or (watching[-1].log if watching else None)
            ending = f"; the end of {source}:\n{tail(source)}" if source else ""
            raise TestbedError(f"{what}: not so after {seconds:.0f} s{ending}")
        time.sleep(0.05)
