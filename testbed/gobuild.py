"""Build a Go program and show how it goes: a cold build takes minutes."""

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from testbed.errors import TestbedError

_SHOW_EVERY = 10.0
"""Seconds between two lines of progress."""

_TAIL = 15
"""Lines of the compiler's output that are shown on failure."""


def toolchain() -> str:
    """Return Go's version and target, which are part of what a build depends on.

    Raises:
        TestbedError: Go is not installed.
    """
    if shutil.which("go") is None:
        raise TestbedError(
            "Go is missing: install Go 1.26 or newer (https://go.dev/dl/) and put `go` on PATH"
        )
    done = subprocess.run(
        ["go", "env", "GOVERSION", "GOOS", "GOARCH"], check=True, capture_output=True, text=True
    )
    return " ".join(done.stdout.split())


def module_source(module: Path, name: str) -> Path:
    """Return the folder with the files of a Go module, at the version that `module` requires.

    Raises:
        TestbedError: it cannot be had; the text has Go's output.
    """
    done = subprocess.run(
        ["go", "mod", "download", "-json", name],
        cwd=module,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "GOWORK": "off", "GOFLAGS": ""},
    )
    if done.returncode:
        reason = (done.stdout + done.stderr).strip()
        raise TestbedError(f"go mod download {name} in {module} failed: {reason}")
    return Path(json.loads(done.stdout)["Dir"])


def build(module: Path, package: str, target: Path, ldflags: tuple[str, ...], what: str) -> None:
    """Compile `package` of `module` to `target`, with one line of progress every few seconds.

    Raises:
        TestbedError: the build fails; the text has the end of the compiler's output.
    """
    print(f"building {what}", flush=True)
    started = time.monotonic()
    command = ["go", "build", "-v", "-trimpath", "-buildvcs=false", "-mod=readonly"]
    command += [f"-ldflags={' '.join(ldflags)}", "-o", str(target), package]
    with subprocess.Popen(
        command,
        cwd=module,
        env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        lines = _follow(process, started)
    if process.returncode:
        tail = "\n".join(lines[-_TAIL:])
        raise TestbedError(
            f"go build {package} in {module} failed (network to the Go module proxy, "
            f"free disk space?):\n{tail}"
        )
    print(f"  built {target.name} in {time.monotonic() - started:.0f} s", flush=True)


def _follow(process: "subprocess.Popen[str]", started: float) -> list[str]:
    """Collect the compiler's lines until it ends: with -v one a package."""
    if process.stderr is None:
        return []
    arriving: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process.stderr, arriving), daemon=True)
    reader.start()
    lines: list[str] = []
    shown = started
    while True:
        now = time.monotonic()
        if now - shown >= _SHOW_EVERY:
            shown = now
            _show(now - started, len(lines))
        try:
            line = arriving.get(timeout=max(0.1, _SHOW_EVERY - (now - shown)))
        except queue.Empty:
            continue
        if line is None:
            return lines
        lines.append(line)


def _read(stream: IO[str], arriving: "queue.SimpleQueue[str | None]") -> None:
    for line in stream:
        arriving.put(line.rstrip())
    arriving.put(None)


def _show(seconds: float, lines: int) -> None:
    print(f"  {seconds:.0f} s, {lines} packages", file=sys.stdout, flush=True)
