"""Read manifests from files, as kubectl would."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from typing_extensions import override
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

from spidercoordinator.api.yamltext import parse_all
from spidercoordinator.errors import ManifestError

STDIN: Final = "-"

_TAG: Final = "tag:yaml.org,2002:"
_SUFFIXES: Final = (".yaml", ".yml", ".json")


class _Loader(yaml.SafeLoader):
    """YAML as kubectl takes it.

    Times are text, and so is 12:34, which YAML 1.1 takes for 754. A surrogate pair, as JSON may
    write what is beyond 16 bits, is one character. No value can contain itself. Two values of one
    key are refused: kubectl takes the last one silently.
    """

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._open: set[str | None] = set()

    @override
    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        tag: str = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]
        if kind is not yaml.ScalarNode or not implicit[0]:
            return tag
        to_base_60 = tag in {f"{_TAG}int", f"{_TAG}float"} and ":" in value
        return f"{_TAG}str" if to_base_60 or tag == f"{_TAG}timestamp" else tag

    @override
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            if event.anchor in self._open:
                problem = f"the value of anchor &{event.anchor} contains itself"
                raise ComposerError(problem=problem, problem_mark=event.start_mark)
            return super().compose_node(parent, index)
        anchor = self.peek_event().anchor  # type: ignore[no-untyped-call]
        self._open.add(anchor)
        try:
            return super().compose_node(parent, index)
        finally:
            self._open.discard(anchor)

    @override
    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key, _ in node.value:
            name = (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else key
            if name in seen and key.tag != f"{_TAG}merge":
                problem = f"the key {key.value} is there twice"
                raise ConstructorError(problem=problem, problem_mark=key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)

    @override
    def construct_scalar(self, node: Any) -> Any:
        value = super().construct_scalar(node)
        if value.isascii():
            return value
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def parse(text: str) -> list[Any]:
    """The documents of a text in YAML or JSON.

    Raises:
        ValueError: it is none; says why, and where.
    """
    return parse_all(text, _Loader)


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
                documents = parse(text)
            except ValueError as error:
                raise ManifestError(f"{origin}: it is no YAML: {error}") from error
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
        raise ManifestError(f"{name}: it cannot be read: {error.strerror or error}") from error


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
