"""What goes of the operator's packages when its image is built, and what has to stay."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import kubernetes
import pytest

from tools.image.packages import GENERATED, LOADED, compile_bytecode, drop_build_notes, unused

SITE_PACKAGES = Path(kubernetes.__file__).parents[1]
EVERYTHING = """
import importlib, pkgutil, sys
import kopf, spidercoordinator
for module in pkgutil.walk_packages(spidercoordinator.__path__, "spidercoordinator."):
    importlib.import_module(module.name)
for module in list(sys.modules.values()):
    print(getattr(module, "__file__", None) or "")
"""


def test_what_the_operator_loads_of_the_generated_classes_stays_and_nothing_else() -> None:
    done = subprocess.run(
        [sys.executable, "-c", EVERYTHING], check=True, capture_output=True, text=True, timeout=120
    )
    files = [Path(line) for line in done.stdout.splitlines() if line.startswith(str(SITE_PACKAGES))]
    loaded = {str(file.relative_to(SITE_PACKAGES)) for file in files}
    generated = {
        name
        for name in loaded
        if name.rpartition("/")[0] in GENERATED and not name.endswith("/__init__.py")
    }
    assert generated == LOADED


def test_unused_names_thousands_of_classes_and_no_transport() -> None:
    found = unused(SITE_PACKAGES)
    assert len(found) > 1000
    folders = {str(path.parent.relative_to(SITE_PACKAGES)) for path in found}
    assert folders == set(GENERATED)
    assert not [path for path in found if path.name == "__init__.py"]
    assert not LOADED & {str(path.relative_to(SITE_PACKAGES)) for path in found}


def test_another_client_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kubernetes/client/models").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="kubernetes/client/models"):
        unused(tmp_path)


def test_no_note_of_the_build_stays(tmp_path: Path) -> None:
    info = tmp_path / "lib/python3.11/site-packages/x-1.dist-info"
    info.mkdir(parents=True)
    for name in ("uv_cache.json", "direct_url.json", "METADATA"):
        (info / name).write_text("x")
    lines = [f"x-1.dist-info/{name},sha256=AAAA,1\n" for name in ("uv_cache.json", "METADATA")]
    (info / "RECORD").write_text("".join([*lines, "x/direct_url.json.py,,\n"]))
    drop_build_notes(tmp_path)
    assert {path.name for path in info.iterdir()} == {"METADATA", "RECORD"}
    assert (info / "RECORD").read_text() == f"{lines[1]}x/direct_url.json.py,,\n"


def test_bytecode_does_not_depend_on_times_and_names_the_installed_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    made = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "module.py").write_text("ORDER = 1 in {1, 2, 3}\n")
        compile_bytecode(folder, Path("/opt/there"))
        [compiled] = folder.rglob("*.pyc")
        made.append(compiled.read_bytes())
    assert made[0] == made[1]
    assert b"/opt/there/module.py" in made[0]


def test_without_a_fixed_hash_seed_nothing_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    with pytest.raises(SystemExit, match="PYTHONHASHSEED has to be 0"):
        compile_bytecode(tmp_path, tmp_path)
