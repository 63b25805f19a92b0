"""The picture: each figure as a share of its goal, ours of each run, and the peer's."""

from typing import Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import FuncFormatter, NullFormatter

from tools.benchmarks.figures import Benchmarks, Figure, Range, amount
from tools.plotting import STYLE, svg_of

_COLORS: Final = ("tab:blue", "tab:green", "tab:orange", "tab:purple", "tab:brown")
_PEER: Final = "tab:red"
_APART: Final = 0.18
"""Between the runs of one figure, of the distance between two figures."""


def svg(benchmarks: Benchmarks) -> str:
    """The picture as SVG, the same bytes for the same figures."""
    with mpl.rc_context(STYLE):
        made = Drawing(figsize=(9, 0.42 * len(benchmarks.figures) + 1), layout="constrained")
        FigureCanvasSVG(made)
        _draw(made.subplots(), benchmarks)
        return svg_of(made)


def _draw(place: Axes, benchmarks: Benchmarks) -> None:
    for height, figure in enumerate(benchmarks.figures):
        for number, run in enumerate(benchmarks.runs):
            if run in figure.seen:
                up = (number - (len(benchmarks.runs) - 1) / 2) * _APART
                _mark(place, figure.seen[run], figure.goal, height + up, _COLORS[number])
        if figure.peer is not None:
            place.plot(figure.peer / figure.goal, height, "D", color=_PEER, markersize=5)
    for color, told in zip(_COLORS, benchmarks.runs.values(), strict=False):
        place.plot([], [], "o-", color=color, markersize=4, label=told.title)
    place.plot([], [], "D", color=_PEER, markersize=5, label="the peer")
    place.legend(loc="lower right", frameon=True, fontsize=7)
    _scales(place, benchmarks.figures)


def _mark(place: Axes, seen: Range, goal: float, height: float, color: str) -> None:
    low, high = (each / goal for each in seen)
    place.plot([low, high], [height, height], "o-", color=color, markersize=4, linewidth=2)


def _scales(place: Axes, figures: tuple[Figure, ...]) -> None:
    place.axvspan(0.001, 1, color="tab:green", alpha=0.08)
    place.axvline(1, color="tab:green", linewidth=1)
    place.set_xscale("log")
    place.set_xlim(0.004, 120)
    place.set_xticks([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100])
    place.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    place.xaxis.set_minor_formatter(NullFormatter())
    place.set_xlabel("times the goal; the goal is met on the left of the line")
    labels = [f"{each.title}\n(goal {amount(each.goal, each.unit)})" for each in figures]
    place.set_yticks(range(len(figures)), labels)
    place.invert_yaxis()
