"""Parts of the files of a release; tests/images makes them all."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from tools.release.artifacts import CHECKSUMS, checksums, fixed


def test_checksums_are_of_all_files_by_name_and_not_of_themselves(tmp_path: Path) -> None:
    (tmp_path / "python").mkdir()
    (tmp_path / "python/x.whl").write_bytes(b"wheel")
    (tmp_path / "chart.tgz").write_bytes(b"chart")
    (tmp_path / CHECKSUMS).write_text("old")
    assert checksums(tmp_path) == (
        f"{sha256(b'chart').hexdigest()}  chart.tgz\n{sha256(b'wheel').hexdigest()}  x.whl\n"
    )


def test_contents_say_the_version_and_not_when_they_were_made() -> None:
    made = {
        "bomFormat": "CycloneDX",
        "serialNumber": "urn:uuid:1",
        "metadata": {"timestamp": "2026-01-01T00:00:00Z", "component": {"name": "x"}},
    }
    assert json.loads(fixed(json.dumps(made), "1.2.3")) == {
        "bomFormat": "CycloneDX",
        "metadata": {"component": {"name": "x", "version": "1.2.3"}},
    }
