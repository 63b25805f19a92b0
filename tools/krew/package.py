"""Make build/krew: the archive of the kubectl plugin, and the manifest that leads krew to it.

    python -m tools.krew.package --url https://example.com/releases/spidercoordinator.tar.gz

The archive is the same on all platforms: a launcher, the wheel, and the packages that it needs with
their hashes, from uv.lock.
"""

from __future__ import annotations

import argparse
import gzip
import io
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Collection, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
NAME: Final = "spidercoordinator"
LAUNCHER: Final = "kubectl-spidercoordinator"
_HERE: Final = Path(__file__).parent
_EXPORT: Final = "export --locked --no-dev --no-emit-project --no-header --format requirements-txt"


def manifest(version: str, url: str, digest: str) -> dict[str, Any]:
    """The Plugin object (https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/)."""
    systems = {"key": "os", "operator": "In", "values": ["darwin", "linux"]}
    return {
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": NAME},
        "spec": {
            "version": f"v{version}",
            "homepage": "https://github.com/spidercoordinator/spidercoordinator",
            "shortDescription": "Check and diagnose underlay pods' networks",
            "description": (
                "Say what is wrong with SpiderCoordinators and SpiderMultusConfigs in files, what"
                " they would change in which NetworkAttachmentDefinitions, what a cluster lacks for"
                " an installation, and what keeps underlay pods from being served.\n"
            ),
            "caveats": (
                "It needs Python 3.11 or newer. The first call makes a Python environment in"
                " ~/.cache and gets its packages from the package index of pip.\n"
            ),
            "platforms": [
                {
                    "selector": {"matchExpressions": [systems]},
                    "uri": url,
                    "sha256": digest,
                    "files": [{"from": "*", "to": "."}],
                    "bin": LAUNCHER,
                }
            ],
        },
    }


def archive(files: Mapping[str, bytes], programs: Collection[str] = (LAUNCHER,)) -> bytes:
    """A tar.gz of these files; equal for equal files. The programs may be executed."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755 if name in programs else 0o644
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def build(target: Path, url: str) -> Path:
    """Write both into a folder; returns the path of the manifest."""
    uv = [str(ROOT / ".venv/bin/uv"), "--project", str(ROOT)]
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.whl"):
        old.unlink()
    wheel_command = [*uv, "build", "--quiet", "--wheel", "--out-dir", str(target), str(ROOT)]
    subprocess.run(wheel_command, check=True)
    export = subprocess.run([*uv, *_EXPORT.split()], check=True, capture_output=True)
    [wheel] = target.glob("*.whl")
    packed = archive(
        {
            LAUNCHER: (_HERE / LAUNCHER).read_bytes(),
            "LICENSE": (ROOT / "LICENSE").read_bytes(),
            "requirements.txt": export.stdout,
            wheel.name: wheel.read_bytes(),
        }
    )
    (target / f"{NAME}.tar.gz").write_bytes(packed)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    path = target / f"{NAME}.yaml"
    document = manifest(version, url, sha256(packed).hexdigest())
    path.write_text(yaml.safe_dump(document, sort_keys=False, width=100))
    return path


def main() -> int:
    """Build and say where."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="where the archive will be, https://...")
    arguments = parser.parse_args()
    print(build(ROOT / "build" / "krew", arguments.url))
    return 0


if __name__ == "__main__":
    sys.exit(main())
