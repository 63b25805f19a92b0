"""The doctor of a node, as root there: it may look into the firewall and into pods."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.cni.topology import Segment


@dataclass(frozen=True)
class Doctor:
    """Runs `coordinator-install doctor` on a node."""

    segment: Segment
    programs: Path
    files: Path

    def findings(self, *flags: str) -> list[str]:
        """Return its lines, but for the last one, with single spaces."""
        argv = [
            *self.segment.node.argv(""),
            str(self.programs / "coordinator-install"),
            "doctor",
            f"--source={self.programs / 'coordinator'}",
            f"--defaults-target={self.files / 'defaults.json'}",
            *flags,
        ]
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)
        assert done.stderr == ""
        return [" ".join(line.split()) for line in done.stdout.splitlines()[:-1]]

    def starting(self, text: str, *flags: str) -> list[str]:
        """Return the lines that start so."""
        return [line for line in self.findings(*flags) if line.startswith(text)]
