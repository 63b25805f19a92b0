"""How commands print: lines and tables to read, YAML and JSON for programs."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import click
import yaml

from spidercoordinator.cli.exits import Exit
from spidercoordinator.core.checks.diagnosis import Finding, counted

Format = Literal["table", "yaml", "json"]

COLOURS: Final[Mapping[str, str]] = {
    "ERROR": "red",
    "error": "red",
    "WARNING": "yellow",
    "warning": "yellow",
    "NOTE": "cyan",
    "UNSEEN": "magenta",
}


def wants_colour(environ: Mapping[str, str] = os.environ) -> bool | None:
    """False where colours are not wanted (https://no-color.org), None to go by the terminal."""
    return False if environ.get("NO_COLOR") or environ.get("TERM") == "dumb" else None


def print_document(document: Any, output: Format) -> None:
    """Print plain data as one document of JSON or YAML."""
    if output == "json":
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        click.echo(_yaml(document), nl=False)


def print_objects(objects: Sequence[Any], output: Format) -> None:
    """Print Kubernetes objects, for `kubectl apply -f -`: YAML documents, or one List of JSON."""
    if output == "json":
        print_document({"apiVersion": "v1", "kind": "List", "items": list(objects)}, output)
    else:
        click.echo(yaml.safe_dump_all(objects, sort_keys=False, width=2**20), nl=False)


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print columns as kubectl does."""
    lines = [tuple(header), *map(tuple, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("   ".join(cells).rstrip())


def coloured(line: str, level: str) -> str:
    """The line with the first occurrence of its level in the level's colour."""
    return line.replace(level, click.style(level, fg=COLOURS.get(level), bold=True), 1)


def print_findings(findings: Sequence[Finding], command: str, output: Format = "table") -> Exit:
    """Print findings and their number; returns the exit status, `FOUND` when one is an error."""
    if output == "table":
        for finding in findings:
            click.echo(coloured(finding.line, finding.level))
        click.echo(f"{command}: {counted(findings)}")
    else:
        print_document({"command": command, **findings_document(findings)}, output)
    return Exit.FOUND if any(each.level == "ERROR" for each in findings) else Exit.OK


def findings_document(findings: Sequence[Finding]) -> dict[str, Any]:
    """Findings and the number of each level, as plain data."""
    count = Counter(finding.level for finding in findings)
    return {
        "counts": {level: count[level] for level in ("ERROR", "WARNING", "NOTE", "UNSEEN")},
        "findings": [
            {
                "level": each.level,
                "subject": each.what,
                "observed": each.value,
                "remedy": each.advice,
            }
            for each in findings
        ],
    }


def _yaml(document: Any) -> str:
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=2**20)
    return text
