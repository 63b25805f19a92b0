"""The page of the dashboard, the names of series, and how values are written in its pictures."""

from __future__ import annotations

import dataclasses
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from tools.dashboard.files import page
from tools.dashboard.grafana import document
from tools.dashboard.model import Panel, Query, Row, Unit
from tools.dashboard.plot import by_panel, picture, text_of
from tools.dashboard.reading import labels_of, name_of, queries, with_values
from tools.dashboard.rows import ROWS
from tools.plotting import STYLE

PANEL = Panel("Things", "How many.", (Query("sum by (a) (things)", "{{a}} of {{b}}"),))
ROW = Row("All", "How many?", (PANEL,))


def test_a_page_gets_the_tables_of_its_rows() -> None:
    text = "before\n<!-- row: All -->\nold\n<!-- end of row -->\nafter\n"
    made = page(text, (ROW,))
    assert "old" not in made
    assert "How many?\n\n| panel | what it tells |\n|---|---|\n| Things | How many. |\n" in made
    assert "![Its panels](images/dashboard/all.svg)\n" in made
    assert made.startswith("before\n<!-- row: All -->\n")
    assert made.endswith("<!-- end of row -->\nafter\n")
    assert page(made, (ROW,)) == made


@pytest.mark.parametrize("text", ["", "<!-- row: Other -->\n<!-- end of row -->"])
def test_a_page_with_other_rows_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="allowed: All"):
        page(text, (ROW,))


def test_what_is_written_is_what_is_read() -> None:
    [asked] = queries(document((ROW,)))
    assert (asked.row, asked.panel, asked.single) == ("All", "Things", False)
    assert (asked.expr, asked.legend) == (PANEL.queries[0].expr, PANEL.queries[0].legend)
    single = dataclasses.replace(ROW, panels=(dataclasses.replace(PANEL, single=True),))
    [asked] = queries(document((single,)))
    assert asked.single


def test_the_same_rows_give_the_same_bytes() -> None:
    assert document(ROWS) == document(ROWS)


def test_names_of_series() -> None:
    assert labels_of("{{a}} of {{b}}") == {"a", "b"}
    assert name_of("{{a}} of {{b}}", {"a": "1", "b": "2"}) == "1 of 2"
    assert name_of("{{a}} {{missing}} {{b}}", {"a": "1", "b": "2"}) == "1 2"


def test_a_variable_without_a_value_is_an_error() -> None:
    assert with_values('a{b=~"$c"}[$__d]', {"c": "x|y", "__d": "1m"}) == 'a{b=~"x|y"}[1m]'
    with pytest.raises(KeyError, match="other"):
        with_values("a[$other]", {})


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0123, "s", "12.3 ms"),
        (1, "s", "1 s"),
        (1.6, "s", "1.6 s"),
        (90, "s", "90 s"),
        (600, "s", "10 min"),
        (7776000, "s", "90 d"),
        (104857600, "bytes", "100 MiB"),
        (0.051, "percentunit", "5.1 %"),
        (2.5, "ops", "2.5/s"),
        (3, "none", "3"),
    ],
)
def test_values_are_written_with_their_units(value: float, unit: Unit, text: str) -> None:
    assert text_of(value, unit) == text


def recorded(values: list[list[Any]]) -> list[dict[str, Any]]:
    [asked] = [each for each in queries(document(ROWS)) if each.panel == "Work queue"][:1]
    return [{**dataclasses.asdict(asked), "series": [{"metric": {}, "values": values}]}]


@pytest.mark.parametrize("values", [[[100, "NaN"]], [[100, "0"], [101, "3"], [102, "+Inf"]]])
def test_every_row_can_be_drawn_also_without_data(values: list[list[Any]]) -> None:
    data = by_panel(recorded(values))
    with mpl.rc_context(STYLE):
        for row in ROWS:
            titles = {place.get_title(loc="left") for place in picture(row, data).axes}
            assert titles >= {panel.title for panel in row.panels}


def test_a_line_begins_at_nought_and_has_numbers_only() -> None:
    [row] = [each for each in ROWS if each.title == "Reconciling"]
    with mpl.rc_context(STYLE):
        [place] = [
            each
            for each in picture(
                row, by_panel(recorded([[100, "0"], [101, "NaN"], [102, "3"]]))
            ).axes
            if each.get_title(loc="left") == "Work queue"
        ]
        [line] = place.get_lines()
        assert np.array_equal(line.get_xydata(), [[0, 0], [2, 3]])
