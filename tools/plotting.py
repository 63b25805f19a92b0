"""How the pictures of the docs look that matplotlib draws."""

import io
import re
from typing import Any, Final

from matplotlib.figure import Figure
from matplotlib.typing import RcKeyType

STYLE: Final[dict[RcKeyType, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "spidercoordinator",
    "font.family": "sans-serif",
    "font.size": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e0e0e0",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.2,
    "path.simplify_threshold": 1.0,
}
"""Small, on white; text stays text, and the same data gives the same bytes."""

_FRACTION: Final = re.compile(r"(?<=\d\.\d)\d+")
_PATH: Final = re.compile(r'(?<= d=")[^"]*')


def svg_of(figure: Figure) -> str:
    """A figure as SVG with nothing that changes from one day to the next.

    Paths are rounded to a tenth of a point, which nobody sees and which makes half of the size.
    """
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    text = _PATH.sub(lambda path: _FRACTION.sub("", path[0]), out.getvalue())
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
