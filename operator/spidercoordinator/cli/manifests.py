"""Read manifests from files, as kubectl would."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from typing_extensions import override

from spidercoordinator.errors import ManifestError

STDIN: Final = "-"

_TAG: Final = "tag:yaml.org,2002:"
_SUFFIXES: Final = (".yaml", ".yml", ".json")


class _Loader(yaml.SafeLoader):
    """YAML as kubectl takes it: times are text, and so is 12:34, which YAML 1.1 takes for 754."""

    @override
    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        tag: str = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]
        if kind is not yaml.ScalarNode or not implicit[0]:
            return tag
        to_base_60 = tag in {f"{_TAG}int", f"{_TAG}float"} and ":" in value
        return f"{_TAG}str" if to_base_60 or tag == f"{_TAG}timestamp" else tag


def read(names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """The documents of files, of the files in folders, or of standard input (`-`).

    Returns:
        Where each document is, and its content.

    Raises:
        ManifestError: a file cannot be read, or is no YAML.
    """
    for name in names:
        for origin, text in _texts(name):
            try:
                documents = list(yaml.load_all(text, _Loader))
            except (yaml.YAMLError, ValueError, RecursionError) as error:
                # Beside its own errors PyYAML raises those of Python's types: int, float, datetime.
                raise ManifestError(
                    f"{origin}: it is no YAML: {' '.join(str(error).split())}"
                ) from error
            for document in documents:
                yield origin, document


def _texts(name: str) -> Iterator[tuple[str, str]]:
    if name == STDIN:
        try:
            yield "standard input", sys.stdin.read()
        except (OSError, UnicodeDecodeError) as error:
            raise ManifestError(f"standard input: it cannot be read: {error}") from error
        return
    path = Path(name)
    try:
        yield from _files(path)
    except OSError as error:
        raise ManifestError(f"{name}: it cannot be read: {error}") from error


def _files(path: Path) -> Iterator[tuple[str, str]]:
    paths = (
        sorted(each for each in path.iterdir() if each.suffix in _SUFFIXES)
        if path.is_dir()
        else [path]
    )
    for each in paths:
        try:
            yield str(each), each.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ManifestError(f"{each}: it cannot be read: {error}") from error
