"""The generator writes what is missing or stale, names it, and leaves the rest alone."""

from pathlib import Path

from tools.generate import ROOT, process


def test_nothing_in_this_tree_is_stale() -> None:
    assert process(ROOT, check=True) == []


def test_stale_files_are_named_and_written(tmp_path: Path) -> None:
    document = tmp_path / "docs" / "spidercoordinator.md"
    document.parent.mkdir()
    document.write_text(
        "a\n<!-- fields: SpiderCoordinator spec -->\nSTALE\n<!-- end of fields -->\nb\n"
    )
    stale = process(tmp_path, check=True)
    assert Path("crds/spidercoordinators.yaml") in stale
    assert "STALE" in document.read_text()
    assert process(tmp_path, check=False) == stale
    assert process(tmp_path, check=True) == []
    text = document.read_text()
    assert "| `vethLinkAddress` |" in text
    assert text.startswith("a\n")
    assert text.endswith("\nb\n")
    assert "STALE" not in text
