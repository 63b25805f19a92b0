"""What the testbed's Go programs are cached by."""

from pathlib import Path

from testbed.images import _replaced


def test_modules_beside_it_belong_to_a_module(tmp_path: Path) -> None:
    for name, text in (("a", "module a\n\nreplace b => ../b\n"), ("b", "module b\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "go.mod").write_text(text)
    (tmp_path / "b" / "b.go").write_text("package b\n")
    assert _replaced(tmp_path / "a") == [
        "b.go",
        tmp_path / "b" / "b.go",
        "go.mod",
        tmp_path / "b" / "go.mod",
    ]
    assert _replaced(tmp_path / "b") == []
