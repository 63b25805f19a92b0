"""The files that are made from docs/benchmarks.yaml: the picture, and the tables of the page.

The page holds `<!-- runs -->` … `<!-- end of runs -->` and the same with `figures`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tools.benchmarks.figures import Benchmarks, Figure, amount, amounts, read, verdict
from tools.benchmarks.picture import svg

DATA: Final = Path("docs/benchmarks.yaml")
PAGE: Final = Path("docs/benchmarks.md")
PICTURE: Final = Path("docs/images/benchmarks.svg")
_SECTION: Final = re.compile(
    r"(?P<begin><!-- (?P<what>runs|figures) -->\n).*?(?P<end><!-- end of (?P=what) -->)", re.DOTALL
)


def generated(root: Path) -> Iterator[tuple[Path, str]]:
    """Both files, where there are figures."""
    if not (root / DATA).exists():
        return
    benchmarks = read((root / DATA).read_text())
    yield PICTURE, svg(benchmarks)
    yield PAGE, page((root / PAGE).read_text(), benchmarks)


def page(text: str, benchmarks: Benchmarks) -> str:
    """The page with its tables made anew."""
    tables = {"runs": _runs(benchmarks), "figures": _figures(benchmarks)}
    return _SECTION.sub(lambda it: f"{it['begin']}{tables[it['what']]}\n{it['end']}", text)


def _runs(benchmarks: Benchmarks) -> str:
    rows = [f"| {each.title} | {each.date} | {each.machine} |" for each in benchmarks.runs.values()]
    return "\n".join(["| run | date | machine |", "|---|---|---|", *rows])


def _figures(benchmarks: Benchmarks) -> str:
    titles = [run.title for run in benchmarks.runs.values()]
    head = ["figure", "goal", *titles, "the peer"]
    lines = [_cells(head), _cells(["---"] * len(head))]
    return "\n".join([*lines, *(_row(each, benchmarks) for each in benchmarks.figures)])


def _row(figure: Figure, benchmarks: Benchmarks) -> str:
    title = figure.title if figure.yardstick is None else f"{figure.title} ÷ {figure.yardstick}"
    if figure.note is not None:
        title += f" ({figure.note})"
    seen = [_seen(figure, run) for run in benchmarks.runs]
    peer = "" if figure.peer is None else amount(figure.peer, figure.unit)
    return _cells([title, amount(figure.goal, figure.unit), *seen, peer])


def _seen(figure: Figure, run: str) -> str:
    if run not in figure.seen:
        return ""
    found = figure.seen[run]
    return f"{amounts(found, figure.unit)}, {verdict(found, figure.goal)}"


def _cells(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
