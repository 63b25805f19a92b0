"""The queries of a dashboard's JSON, as Grafana would send them."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_VARIABLE: Final = re.compile(r"\$(\w+)")
_LABEL: Final = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True)
class Asked:
    """One query, and where its data is shown.

    Attributes:
        row: the title of its row.
        panel: the title of its panel.
        unit: of its values, by Grafana's name.
        single: the panel shows one value, or the names of series, rather than lines.
        expr: in PromQL, with Grafana's variables.
        legend: the name of a series, its labels in double braces.
    """

    row: str
    panel: str
    unit: str
    single: bool
    expr: str
    legend: str


def queries(document: str) -> Iterator[Asked]:
    """Every query of a dashboard, from top to bottom."""
    row = ""
    for panel in json.loads(document)["panels"]:
        if panel["type"] == "row":
            row = panel["title"]
        for target in panel.get("targets", ()):
            yield _asked(row, panel, target)


def _asked(row: str, panel: Mapping[str, Any], target: Mapping[str, Any]) -> Asked:
    return Asked(
        row=row,
        panel=panel["title"],
        unit=panel["fieldConfig"]["defaults"]["unit"],
        single=panel["type"] == "stat",
        expr=target["expr"],
        legend=target["legendFormat"],
    )


def with_values(expr: str, values: Mapping[str, str]) -> str:
    """The query with the values of Grafana's variables.

    Raises:
        KeyError: it has a variable of which no value is given.
    """
    return _VARIABLE.sub(lambda match: values[match[1]], expr)


def labels_of(legend: str) -> frozenset[str]:
    """The labels that the names of series are made of."""
    return frozenset(_LABEL.findall(legend))


def name_of(legend: str, labels: Mapping[str, str]) -> str:
    """The name of a series."""
    return " ".join(_LABEL.sub(lambda match: labels.get(match[1], ""), legend).split())
