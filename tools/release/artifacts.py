"""Make the files of a release that need no registry, the same bytes for the same commit.

The chart, the Python package, the CNI plugins for each platform, the CRDs, the kubectl plugin for
krew, what is in both images (CycloneDX), and the checksums of all that.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from testbed import binaries
from tools.krew import package as krew

ROOT: Final = Path(__file__).resolve().parents[2]
PLATFORMS: Final = ("amd64", "arm64")
PLUGINS: Final = ("coordinator", "coordinator-install", "ifacer")
CHECKSUMS: Final = "SHA256SUMS"
KUBECTL_PLUGIN: Final = "kubectl-spidercoordinator"
_UV: Final = (str(ROOT / ".venv/bin/uv"), "--project", str(ROOT), "--quiet")
_PYTHON_CONTENTS: Final = "export --locked --no-dev --no-emit-project --format cyclonedx1.5"
_GO_CONTENTS: Final = "tool -modfile={} cyclonedx-gomod mod -json -licenses -type application"


def build(target: Path, url: str, version: str) -> None:
    """Make all files of a release in `target`, which is emptied before.

    Args:
        target: the folder.
        url: of the folder where people will find these files, for krew's manifest.
        version: of the release.

    Raises:
        subprocess.CalledProcessError: a tool failed; it said why on standard error.
        TestbedError: helm cannot be built.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    _run(*_UV, "build", "--no-create-gitignore", "--out-dir", str(target / "python"), str(ROOT))
    _write_chart(target)
    for platform in PLATFORMS:
        _write_plugins(target, platform)
    crds = [path.read_text() for path in sorted((ROOT / "crds").glob("*.yaml"))]
    (target / "crds.yaml").write_text("".join(crds))
    _write_kubectl_plugin(target, url)
    _write_contents(target, version)
    (target / CHECKSUMS).write_text(checksums(target))


def checksums(folder: Path) -> str:
    """What `sha256sum --check` reads, of all files below `folder`, by their names alone.

    A release has no folders: where people download the files, they lie beside each other.
    """
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != CHECKSUMS]
    lines = (f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    return "".join(sorted(lines, key=lambda line: line.split()[1]))


def fixed(contents: str, version: str) -> str:
    """A CycloneDX document without the time and the number of its making, and with the version."""
    document: dict[str, Any] = json.loads(contents)
    document.pop("serialNumber", None)
    document["metadata"].pop("timestamp", None)
    document["metadata"]["component"]["version"] = version
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def _write_chart(target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        chart = str(ROOT / "charts" / "spidercoordinator")
        _run(str(binaries.helm()), "package", chart, "--destination", folder)
        [packed] = Path(folder).iterdir()
        # helm notes down when it packed each file.
        with tarfile.open(packed) as tar:
            handles = {entry.name: tar.extractfile(entry) for entry in tar.getmembers()}
            files = {name: handle.read() for name, handle in handles.items() if handle}
        (target / packed.name).write_bytes(krew.archive(files))


def _write_plugins(target: Path, platform: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = ("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", folder)
        environment = {"CGO_ENABLED": "0", "GOOS": "linux", "GOARCH": platform}
        _run(*command, "./cmd/...", cwd=ROOT / "cni", **environment)
        files = {name: (Path(folder) / name).read_bytes() for name in PLUGINS}
    files["LICENSE"] = (ROOT / "LICENSE").read_bytes()
    name = f"spidercoordinator-cni-linux-{platform}.tar.gz"
    (target / name).write_bytes(krew.archive(files, programs=PLUGINS))


def _write_kubectl_plugin(target: Path, url: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        manifest = krew.build(Path(folder), f"{url}/{KUBECTL_PLUGIN}.tar.gz")
        for suffix in (".yaml", ".tar.gz"):
            made = manifest.with_name(f"{krew.NAME}{suffix}")
            shutil.copyfile(made, target / f"{KUBECTL_PLUGIN}{suffix}")


def _write_contents(target: Path, version: str) -> None:
    packages = _run(*_UV, *_PYTHON_CONTENTS.split())
    (target / "sbom-operator.cdx.json").write_text(fixed(packages, version))
    command = _GO_CONTENTS.format(ROOT / "tools/release/go.mod").split()
    modules = _run("go", *command, cwd=ROOT / "cni", CGO_ENABLED="0", GOOS="linux")
    (target / "sbom-cni.cdx.json").write_text(fixed(modules, version))


def _run(*command: str, cwd: Path = ROOT, **environment: str) -> str:
    """Run a tool and return its output; what it says on standard error is shown."""
    done = subprocess.run(
        command,
        check=True,
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout
