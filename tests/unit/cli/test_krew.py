"""The plugin of kubectl as krew installs it."""

from __future__ import annotations

import io
import re
import subprocess
import tarfile

from tools.krew.package import LAUNCHER, ROOT, archive, manifest

URL = "https://example.com/spidercoordinator.tar.gz"


def test_the_manifest_keeps_krews_rules() -> None:
    """https://github.com/kubernetes-sigs/krew/blob/v0.4.5/internal/index/validation/validate.go."""
    found = manifest("0.1.0", URL, "0" * 64)
    assert found["apiVersion"] == "krew.googlecontainertools.github.com/v1alpha2"
    assert found["kind"] == "Plugin"
    assert re.fullmatch(r"[\w-]+", found["metadata"]["name"])
    spec = found["spec"]
    assert re.fullmatch(r"v\d+\.\d+\.\d+", spec["version"])
    assert 0 < len(spec["shortDescription"]) <= 50
    assert not re.search(r"[\r\n]", spec["shortDescription"])
    assert spec["description"]
    [platform] = spec["platforms"]
    assert re.fullmatch(r"[a-f0-9]{64}", platform["sha256"])
    assert (platform["uri"], platform["bin"]) == (URL, LAUNCHER)
    assert platform["files"]
    assert platform["selector"]["matchExpressions"]


def test_the_archive_is_reproducible_and_can_be_run() -> None:
    files = {LAUNCHER: b"#!/bin/sh\n", "LICENSE": b"text"}
    packed = archive(files)
    assert archive(dict(reversed(files.items()))) == packed
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        modes = {each.name: each.mode for each in tar.getmembers()}
    assert modes == {LAUNCHER: 0o755, "LICENSE": 0o644}


def test_the_launcher_names_the_python_it_lacks() -> None:
    done = subprocess.run(
        [str(ROOT / "tools" / "krew" / LAUNCHER)],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nowhere", "PYTHON": "/nowhere/python3"},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "Python 3.11 or newer with venv is needed, and /nowhere/python3 is not" in done.stderr
