"""A node on which calls are counted, and what its metrics say."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.cni.topology import Segment

PREFIX = "spidercoordinator_"


@dataclass
class Counted:
    """The node's directories, the installer and the program that tells the metrics.

    Attributes:
        segment: whose plugins find the directories as their node's.
        programs: folder with the binaries.
        lib: the node's /var/lib.
        plugins: the node's CNI plugins.
    """

    segment: Segment
    programs: Path
    lib: Path
    plugins: Path

    @property
    def file(self) -> Path:
        return self.lib / "spidercoordinator" / "counters"

    def installer(self, *flags: str) -> list[str]:
        """The command that runs the installer in the node's network."""
        return [
            *self.segment.node.argv(""),
            str(self.programs / "coordinator-install"),
            *(f"--source={self.programs / name}" for name in ("coordinator", "ifacer")),
            f"--target-dir={self.plugins}",
            f"--defaults-target={self.file.with_name('defaults.json')}",
            "--interval=50ms",
            *flags,
        ]

    def install(self, *flags: str) -> None:
        """Install once."""
        subprocess.run(self.installer("--once", *flags), check=True, capture_output=True)

    @contextlib.contextmanager
    def resident(self, *flags: str) -> Iterator[None]:
        """The resident installer."""
        command = self.installer(*flags)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                yield
            finally:
                process.send_signal(signal.SIGTERM)
                assert process.wait(10) == 0

    def told(self) -> str:
        """All metrics, as text."""
        command = [
            *self.segment.node.argv(""),
            str(self.programs / "coordinator-metrics"),
            "--print",
            "--interfaces",
            f"--counters={self.file}",
            f"--plugin-dir={self.plugins}",
        ]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def metrics(self) -> dict[str, float]:
        """The samples of ours, by the name without the prefix, plugin, verb, and other labels."""
        return {
            ",".join([sample.name.removeprefix(PREFIX), *_in_order(sample.labels)]): sample.value
            for family in text_string_to_metric_families(self.told())
            if family.name.startswith(PREFIX)
            for sample in family.samples
        }


def _in_order(labels: dict[str, str]) -> list[str]:
    first = [labels[name] for name in ("plugin", "verb") if name in labels]
    return first + [labels[name] for name in labels if name not in {"plugin", "verb"}]


@contextlib.contextmanager
def tmpfs(folder: Path, size: str) -> Iterator[None]:
    """A file system of its own at a folder, with room for so much."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(folder: Path) -> None:
    """Leave no room in a folder's file system."""
    with contextlib.suppress(OSError), (folder / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(os.urandom(4096))
