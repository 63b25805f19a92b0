"""The tables of the chart's values in its README, between marker comments, from values.yaml.

The comment above a key is its description. A key whose own keys have comments is a section; any
other is one row, whatever it holds.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHART = Path("charts/spidercoordinator")
BEGIN = "<!-- values -->\n"
END = "<!-- end of values -->"


@dataclass(frozen=True)
class Value:
    """One key of values.yaml: its dotted path, default, comment, and the keys below it."""

    path: str
    default: Any
    comment: str
    inner: tuple["Value", ...] = ()

    @property
    def section(self) -> bool:
        """Whether its keys are described one by one."""
        return any(value.comment or value.section for value in self.inner)


def read_values(text: str) -> tuple[Value, ...]:
    """All keys of a values file, with their comments."""
    document = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(document, yaml.MappingNode):
        raise TypeError("values.yaml holds no mapping")
    return tuple(_values(document, yaml.safe_load(text), text.splitlines(), ""))


def _values(
    node: yaml.MappingNode, data: Any, lines: Sequence[str], prefix: str
) -> Iterator[Value]:
    for key, value in node.value:
        path = f"{prefix}{key.value}"
        default = data[key.value]
        inner: tuple[Value, ...] = ()
        if isinstance(value, yaml.MappingNode):
            inner = tuple(_values(value, default, lines, f"{path}."))
        yield Value(path, default, _comment(lines, key.start_mark.line), inner)


def _comment(lines: Sequence[str], line: int) -> str:
    above: list[str] = []
    while line > 0 and lines[line - 1].lstrip().startswith("#"):
        line -= 1
        above.insert(0, lines[line].lstrip().lstrip("#").strip())
    return " ".join(above)


def readme(root: Path) -> Iterator[tuple[Path, str]]:
    """The chart's README with its tables made anew, if there is a chart.

    Raises:
        ValueError: a value has no comment.
    """
    path = CHART / "README.md"
    if not (root / path).exists():
        return
    text = (root / path).read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    tables = _tables(read_values((root / CHART / "values.yaml").read_text()))
    yield path, f"{before}{begin}{tables}{end}{after}"


def _tables(values: Sequence[Value]) -> str:
    single = [value for value in values if not value.section]
    parts = [_table(single)] if single else []
    for value in values:
        if value.section:
            head = f"### `{value.path}`\n\n" + (f"{value.comment}\n\n" if value.comment else "")
            parts.append(head + _table(tuple(_rows(value.inner))))
    return "\n" + "\n".join(parts) + "\n"


def _rows(values: Sequence[Value]) -> Iterator[Value]:
    for value in values:
        if value.section:
            yield from _rows(value.inner)
        else:
            yield value


def _table(rows: Sequence[Value]) -> str:
    return "".join(["| value | default | meaning |\n|---|---|---|\n", *map(_row, rows)])


def _row(value: Value) -> str:
    if not value.comment:
        raise ValueError(f"values.yaml: {value.path} has no comment above it")
    default = json.dumps(value.default, ensure_ascii=False).replace("|", "\\|")
    return f"| `{value.path}` | `{default}` | {value.comment.replace('|', chr(92) + '|')} |\n"
