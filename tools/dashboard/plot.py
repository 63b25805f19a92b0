"""Draw the panels of the dashboard from data of a real Prometheus, one picture a row.

`python -m tools.dashboard.plot FILES` reads what tests/e2e/test_dashboard.py and
tests/chart/test_node_dashboard.py have recorded (tests/panels.py) and writes docs/images/dashboard.
"""

import argparse
import itertools
import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from tools.dashboard.model import Panel, Row, Unit
from tools.dashboard.reading import name_of
from tools.dashboard.rows import ROWS
from tools.plotting import STYLE, svg_of

PICTURES: Final = Path(__file__).parents[2] / "docs" / "images" / "dashboard"
_POINTS: Final = 60
"""At most so many of a series are drawn."""
_NAMED: Final = 6
"""At most so many series of a panel are named."""
_LETTERS: Final = 42
"""A longer name is cut, unless its panel has a line of its own."""
_POD: Final = re.compile(r"\S*-operator-\w+-(\w{5})\b")

Series = tuple[str, list[tuple[float, float]]]
"""A series by its name: seconds since the beginning, and values."""

Data = dict[str, list[dict[str, Any]]]
"""What was recorded, by the title of the panel: each query with its series."""


def text_of(value: float, unit: Unit) -> str:
    """A value with its unit, as short as Grafana writes it."""
    if unit == "s":
        return _duration(value)
    if unit == "bytes":
        return f"{value / 2**20:.0f} MiB"
    if unit == "percentunit":
        return f"{100 * value:.3g} %"
    return f"{value:.3g}" + ("/s" if unit in ("ops", "reqps") else "")


def _duration(seconds: float) -> str:
    for least, size, name in ((172800, 86400, "d"), (7200, 3600, "h"), (120, 60, "min")):
        if abs(seconds) >= least:
            return f"{seconds / size:.3g} {name}"
    return f"{seconds:.3g} s" if abs(seconds) >= 1 else f"{1000 * seconds:.3g} ms"


def picture(row: Row, data: Data) -> Figure:
    """The panels of a row, from the data that was recorded."""
    columns = len(row.panels) if _is_flat(row) else min(2, len(row.panels))
    lines = math.ceil(len(row.panels) / columns)
    made = Figure(figsize=(9, 0.8 if _is_flat(row) else 1.7 * lines), layout="constrained")
    FigureCanvasSVG(made)
    places = made.subplots(lines, columns, squeeze=False).flatten()
    for panel, place in itertools.zip_longest(row.panels, places):
        if panel is None:
            place.axis("off")
        else:
            place.set_title(panel.title, loc="left", fontsize=8)
            letters = _LETTERS if columns > 1 else 2 * _LETTERS
            _draw(place, panel, data[panel.title], letters)
    return made


def _draw(place: Axes, panel: Panel, queries: Sequence[dict[str, Any]], letters: int) -> None:
    found = list(_series(queries))
    if panel.single:
        _single(place, panel, found)
    elif found:
        _lines(place, panel, found, letters)
    else:
        place.axis("off")
        place.text(0, 0.5, panel.empty or "no data", transform=place.transAxes)


def _is_flat(row: Row) -> bool:
    return all(panel.single for panel in row.panels)


def _single(place: Axes, panel: Panel, found: Sequence[Series]) -> None:
    place.axis("off")
    shown = [_shown(panel, name, points) for name, points in found]
    text = "\n".join(text for text, _ in shown) or panel.empty or "no data"
    color = next((color for _, color in shown), "tab:green")
    size = 8 if panel.by_name else 13
    place.text(0, 0.35, text, color=color, fontsize=size, transform=place.transAxes, wrap=True)


def _shown(panel: Panel, name: str, points: Sequence[tuple[float, float]]) -> tuple[str, str]:
    """The last value of a series, and its colour."""
    last = points[-1][1]
    if panel.by_name:
        return name, "black"
    if panel.states is not None:
        text, color = panel.states[int(last)]
        return text, f"tab:{color}"
    alarming = panel.alarming is not None and last >= panel.alarming
    short = panel.enough is not None and last < panel.enough
    return text_of(last, panel.unit), "tab:red" if alarming or short else "tab:green"


def _lines(place: Axes, panel: Panel, found: Sequence[Series], letters: int) -> None:
    tops = {name: max(value for _, value in points) for name, points in found}
    for number, (name, points) in enumerate(sorted(found, key=lambda each: -tops[each[0]])):
        short = name if len(name) <= letters else name[: letters - 1] + "…"
        # One that begins so is left out of the legend.
        label = short if number < _NAMED else "_"
        place.plot(*zip(*_thinned(points), strict=True), label=label)
    if len(found) > _NAMED:
        place.plot([], [], " ", label=f"and {len(found) - _NAMED} more")
    place.legend(fontsize=6, frameon=False, loc="upper left", bbox_to_anchor=(1, 1.05))
    _scales(place, panel.unit, max(tops.values()))


def _scales(place: Axes, unit: Unit, highest: float) -> None:
    place.set_ylim(bottom=0, top=1.05 * highest or 1)
    place.yaxis.set_major_locator(MaxNLocator(4, integer=unit == "none"))
    place.yaxis.set_major_formatter(FuncFormatter(lambda value, _: text_of(value, unit)))
    place.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 3, 6, 10]))
    place.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{int(value) // 60}:{int(value) % 60:02}")
    )


def _series(queries: Sequence[dict[str, Any]]) -> Iterator[Series]:
    """Each series; what is no number is left out."""
    for query in queries:
        for series in query["series"]:
            points = [(float(at), float(value)) for at, value in series["values"]]
            finite = [(at - query["began"], value) for at, value in points if math.isfinite(value)]
            if finite:
                # Of a pod's name, what tells it from the other replicas'.
                yield _POD.sub(r"…\1", name_of(query["legend"], series["metric"])), finite


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    return points[:: math.ceil(len(points) / _POINTS)]


def by_panel(*recorded: Sequence[dict[str, Any]]) -> Data:
    """The queries of all recordings by the title of their panel; panels without any have none."""
    data: Data = {panel.title: [] for row in ROWS for panel in row.panels}
    for recording in recorded:
        starts = [each["values"][0][0] for query in recording for each in query["series"]]
        began = min(map(float, starts), default=0.0)
        for query in recording:
            data[query["panel"]].append({**query, "began": began})
    return data


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+", help="what DASHBOARD_RECORD has named")
    data = by_panel(*(json.loads(each.read_text()) for each in parser.parse_args().files))
    PICTURES.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        for row in ROWS:
            target = PICTURES / row.picture
            target.write_text(svg_of(picture(row, data)))
            print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
