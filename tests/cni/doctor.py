"""The doctor of a node, as root there: it may look into the firewall and into pods."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.cni.topology import POD_CIDRS, SERVICE_CIDRS, Segment


def root_of_node(files: Path) -> tuple[Path, Path]:
    """Lay out the files of a node; gives its root, and where container runtimes keep results."""
    root = files / "root"
    results = root / "var/lib/cni/results"
    results.mkdir(parents=True)
    (root / "run").mkdir()
    (root / "run/netns").symlink_to("/run/netns")
    (files / "defaults.json").write_text(
        json.dumps({"overlayPodCIDR": POD_CIDRS, "serviceCIDR": SERVICE_CIDRS})
    )
    return root, results


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
