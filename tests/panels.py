"""What the dashboard's panels would show of a Prometheus, and what they lack.

DASHBOARD_RECORD names a file for that, from which `python -m tools.dashboard.plot` draws
docs/images/dashboard; DASHBOARD_SECONDS is how long things happen for it.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from testbed.paths import PROJECT
from testbed.scraping import Server
from tools.dashboard.files import DASHBOARD as FILE
from tools.dashboard.reading import Asked, labels_of, queries, with_values

DASHBOARD: Final = (PROJECT / FILE).read_text()
ASKED: Final = list(queries(DASHBOARD))
OF_BUGS: Final = re.compile(r"resync_repairs|unexpected_errors")
"""What no healthy operator counts: tests/chart/test_dashboard.py has promtool ask for it."""
OF_NODES: Final = re.compile(r"spidercoordinator_(cni_|node_(?!report))")
"""What nodes tell: tests/e2e/test_node_metrics.py asks for it."""
STEP: Final = 1
"""Seconds between two values."""
Data = dict[Asked, list[dict[str, Any]]]


@dataclass
class Panels:
    """What the dashboard would show.

    Attributes:
        server: the Prometheus.
        asked: the queries, those of some panels only.
        given: values of Grafana's variables that are not asked for.
        began: from when on, in seconds since 1970.
    """

    server: Server
    asked: Sequence[Asked]
    given: dict[str, str] = field(default_factory=dict)
    began: float = field(default_factory=time.time)

    def values(self) -> dict[str, str]:
        """Grafana's variables, with all that the dashboard's own queries offer."""
        found = {"__rate_interval": "10s", **self.given}
        for variable in json.loads(DASHBOARD)["templating"]["list"]:
            if variable["type"] == "query" and variable["name"] not in found:
                asked = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
                assert asked is not None
                expr = with_values(f"count by ({asked[2]}) ({asked[1]})", found)
                offered = [each["metric"].get(asked[2], "") for each in self.server.now(expr)]
                found[variable["name"]] = "|".join(map(re.escape, filter(None, offered)))
                assert found[variable["name"]], variable["name"]
        return found

    def long_enough(self) -> bool:
        """Whether things have happened for as long as was asked for."""
        return time.time() - self.began >= float(os.environ.get("DASHBOARD_SECONDS", "0"))

    def data(self) -> Data:
        """The series of each query, since the beginning."""
        values, end = self.values(), time.time()
        return {
            each: self.server.series(with_values(each.expr, values), self.began, end, STEP)
            for each in self.asked
        }


def lacking(data: Data) -> list[str]:
    """The queries without a number, or with a label in the legend that no series has."""
    problems = []
    for asked, series in data.items():
        if not any(map(_is_finite, series)):
            problems.append(f"{asked.panel}: no data: {asked.expr}")
        labels = {key for each in series for key, value in each["metric"].items() if value}
        if series and not labels_of(asked.legend) <= labels:
            problems.append(f"{asked.panel}: {asked.legend} of {sorted(labels)}")
    return problems


def _is_finite(series: dict[str, Any]) -> bool:
    return any(math.isfinite(float(value)) for _, value in series["values"])


def record(panels: Panels) -> None:
    """Write down what the panels show, if it was asked for."""
    if file := os.environ.get("DASHBOARD_RECORD"):
        data = [
            {**dataclasses.asdict(asked), "series": series}
            for asked, series in panels.data().items()
        ]
        Path(file).write_text(json.dumps(data))
