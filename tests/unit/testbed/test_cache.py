import io
import os
import sys
import threading
from pathlib import Path

import pytest
from typing_extensions import override

from testbed import cache


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "spidercoordinator"


def write(folder: Path) -> None:
    (folder / "file").write_text("built")


def fail(_: Path) -> None:
    pytest.fail("built again")


def break_off(folder: Path) -> None:
    (folder / "half").touch()
    raise OSError("disk full")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param(("ab", "c"), ("a", "bc"), id="borders between parts"),
        pytest.param(("a", "b"), ("b", "a"), id="order"),
        pytest.param(("a",), ("a", ""), id="an empty part"),
        pytest.param(("a",), ("b",), id="content"),
    ],
)
def test_keys_differ(left: tuple[str, ...], right: tuple[str, ...]) -> None:
    assert cache.key_of(*left) != cache.key_of(*right)


def test_a_path_stands_for_its_content(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("same")
    (tmp_path / "two").write_bytes(b"same")
    keys = {cache.key_of(part) for part in ("same", b"same", tmp_path / "one", tmp_path / "two")}
    assert len(keys) == 1


def test_built_once() -> None:
    built = cache.entry("kind", "key", write)
    assert (built / "file").read_text() == "built"
    assert cache.entry("kind", "key", fail) == built


def test_a_failed_build_is_not_kept(home: Path) -> None:
    with pytest.raises(OSError, match="disk full"):
        cache.entry("kind", "key", break_off)
    assert not [path for path in (home / "kind").iterdir() if path.is_dir()]
    assert (cache.entry("kind", "key", write) / "file").exists()


def test_what_a_killed_build_left_goes_with_the_next(home: Path) -> None:
    left = home / "kind" / ".building-x" / "key"
    left.mkdir(parents=True)
    cache.entry("kind", "key", write)
    assert not left.parent.exists()


def test_the_entries_used_last_are_kept(home: Path) -> None:
    for number in range(3):
        os.utime(cache.entry("kind", f"old{number}", write), (number, number))
    cache.entry("kind", "new", write)
    kept = sorted(path.name for path in (home / "kind").iterdir() if path.is_dir())
    assert kept == ["new", "old1", "old2"]


class Screen(io.StringIO):
    """Standard output that says when something is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    @override
    def write(self, text: str) -> int:
        length = super().write(text)
        self.written.set()
        return length


def test_the_one_who_waits_for_a_lock_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    lock = tmp_path / "lock"
    waited = threading.Event()

    def wait() -> None:
        with cache.locked(lock, "waiting"):
            waited.set()

    second = threading.Thread(target=wait)
    with cache.locked(lock):
        second.start()
        assert screen.written.wait(timeout=10)
        assert not waited.is_set()
    assert waited.wait(timeout=10)
    second.join(timeout=10)
    assert screen.getvalue() == "waiting\n"
