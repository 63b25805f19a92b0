"""The table and the picture of the benchmark figures."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from tools.benchmarks.figures import Range, amounts, read, verdict
from tools.benchmarks.files import page
from tools.benchmarks.picture import svg

RUN = {"title": "a run", "date": "2026-11-27", "machine": "two cores"}
FIGURE = {"title": "ADD", "yardstick": "macvlan", "unit": "x", "goal": 0.7}


def document(**changes: Any) -> str:
    figure = {**FIGURE, "seen": {"run": [0.5, 0.9]}, **changes}
    return yaml.safe_dump({"runs": {"run": RUN, "none": RUN}, "figures": [figure]}, sort_keys=False)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [((0.5, 0.7), "met"), ((0.5, 0.71), "partly missed"), ((0.71, 0.8), "missed")],
)
def test_a_goal_is_met_only_if_all_that_was_seen_meets_it(seen: Range, expected: str) -> None:
    assert verdict(seen, 0.7) == expected


def test_amounts() -> None:
    assert amounts((0.5, 0.9), "x") == "0.5 to 0.9 x"
    assert amounts((4700, 4700), "ms") == "4,700 ms"


def test_the_page_gets_both_tables() -> None:
    text = "<!-- runs -->\n<!-- end of runs -->\n<!-- figures -->\nold\n<!-- end of figures -->\n"
    made = page(text, read(document(peer=4.5, note="why")))
    assert "| a run | 2026-11-27 | two cores |" in made
    row = "| ADD ÷ macvlan (why) | 0.7 x | 0.5 to 0.9 x, partly missed |  | 4.5 x |"
    assert row in made
    assert "old" not in made
    assert page(made, read(document(peer=4.5, note="why"))) == made


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seen": {"other": 1}}, "other is none of"),
        ({"seen": {"run": [2, 1]}}, "2.0 is more than 1.0"),
        ({"seen": {"run": 0}}, "greater than 0"),
        ({"goal": "low"}, "valid number"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_wrong_figures_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        read(document(**changes))


def test_the_same_figures_give_the_same_picture() -> None:
    first, again = svg(read(document(peer=4.5))), svg(read(document(peer=4.5)))
    assert first == again
    assert "the peer" in first
    assert "(goal 0.7 x)" in first
    assert svg(read(document(peer=9))) != first
