"""How the pictures of the docs look that matplotlib draws."""

from typing import Any, Final

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
