"""Check that this tree can be released, and make the files of the release.

python -m tools.release check --tag v1.2.3
python -m tools.release build --url https://example.com/releases/download/v1.2.3
python -m tools.release notes
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from tools.release import artifacts, check

ROOT: Final = artifacts.ROOT
TARGET: Final = ROOT / "build" / "release"
_NODE_METRICS: Final = "cni/cmd/coordinator-metrics/main.go"


def problems(root: Path, tag: str) -> Iterator[str]:
    """Yield what keeps the tree from being released; as `tag`, unless that is empty."""
    yield from check.bases((root / "Dockerfile").read_text())
    for workflow in sorted((root / ".github/workflows").glob("*.yaml")):
        yield from check.actions(str(workflow.relative_to(root)), workflow.read_text())
    yield from check.versions(said(root, tag))
    if tag:
        yield from check.changes((root / "CHANGELOG.md").read_text(), version(root))


def said(root: Path, tag: str) -> dict[str, str]:
    """Each place that says the version, and what it says."""
    chart = yaml.safe_load((root / "charts/spidercoordinator/Chart.yaml").read_text())
    images = yaml.safe_load(chart["annotations"]["artifacthub.io/images"])
    found = {
        "pyproject.toml": version(root),
        "Chart.yaml: version": str(chart["version"]),
        _NODE_METRICS: _constant(root / _NODE_METRICS),
        "Chart.yaml: appVersion": str(chart["appVersion"]),
        **{
            f"Chart.yaml: image {image['name']}": image["image"].rpartition(":")[2]
            for image in images
        },
    }
    return {**found, f"tag {tag}": re.sub("^v", "", tag)} if tag else found


def _constant(source: Path) -> str:
    """The version that a Go program says of itself; empty when it says none."""
    found = re.search(r'^const version = "(.*)"$', source.read_text(), re.MULTILINE)
    return found[1] if found else ""


def version(root: Path) -> str:
    """The version of the Python package."""
    document = tomllib.loads((root / "pyproject.toml").read_text())
    return str(document["project"]["version"])


def main() -> int:
    """Run the command; 1 if the tree cannot be released."""
    parser = argparse.ArgumentParser(description="Check a release, and make its files.")
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser("check", help="say what keeps this tree from being released")
    checking.add_argument("--tag", default="", help="the release's tag, vX.Y.Z")
    making = commands.add_parser("build", help=f"make the files in {TARGET.relative_to(ROOT)}")
    making.add_argument("--url", required=True, help="the folder where they will be, https://...")
    commands.add_parser("notes", help="print what CHANGELOG.md says of this version")
    arguments = parser.parse_args()
    if arguments.command == "check":
        found = list(problems(ROOT, arguments.tag))
        print("\n".join(found), end="\n" if found else "", file=sys.stderr)
        return 1 if found else 0
    if arguments.command == "build":
        artifacts.build(TARGET, arguments.url.rstrip("/"), version(ROOT))
        print(TARGET)
    else:
        print(check.notes((ROOT / "CHANGELOG.md").read_text(), version(ROOT)), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
