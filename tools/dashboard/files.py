"""The files that are made from the rows: the chart's JSON, and the tables of docs/dashboard.md.

The document holds `<!-- row: TITLE -->` … `<!-- end of row -->` for each row; what is between is
replaced by the row's question, a table of its panels, and their picture.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tools.dashboard.grafana import document
from tools.dashboard.model import Panel, Row
from tools.dashboard.rows import ROWS

DASHBOARD: Final = Path("charts/spidercoordinator/files/dashboard.json")
PAGE: Final = Path("docs/dashboard.md")
_SECTION: Final = re.compile(
    r"(?P<begin><!-- row: (?P<title>[^>]+) -->\n).*?(?P<end><!-- end of row -->)", re.DOTALL
)


def generated(root: Path) -> Iterator[tuple[Path, str]]:
    """Both files, as far as the tree has a chart and a page.

    Raises:
        ValueError: the page has other rows than the dashboard, or in another order.
    """
    if (root / DASHBOARD).parent.exists():
        yield DASHBOARD, document(ROWS)
    if (root / PAGE).exists():
        yield PAGE, page((root / PAGE).read_text(), ROWS)


def page(text: str, rows: tuple[Row, ...]) -> str:
    """The page with the tables of all rows made anew.

    Raises:
        ValueError: it has other rows, or in another order.
    """
    titles = [match["title"] for match in _SECTION.finditer(text)]
    if titles != [row.title for row in rows]:
        wanted = ", ".join(row.title for row in rows)
        raise ValueError(f"{PAGE}: its rows are {', '.join(titles)}; allowed: {wanted}")
    tables = {row.title: _table(row) for row in rows}
    return _SECTION.sub(
        lambda match: f"{match['begin']}{tables[match['title']]}{match['end']}", text
    )


def _table(row: Row) -> str:
    lines = [_line(panel) for panel in row.panels]
    picture = f"![Its panels](images/dashboard/{row.picture})"
    return "\n".join(
        [row.says, "", "| panel | what it tells |", "|---|---|", *lines, "", picture, ""]
    )


def _line(panel: Panel) -> str:
    return f"| {panel.title} | {panel.says} |"
