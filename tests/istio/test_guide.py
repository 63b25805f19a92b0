"""The guides show the table that the matrix goes by."""

from pathlib import Path

import pytest

from tests.istio.cells import TABLE, cells

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDES = ["istio.md", "istio.zh.md"]


def ways(text: str) -> list[list[str]]:
    """Return the table's cells without its titles, which each language has for itself."""
    rows = [
        [word.strip() for word in line.strip("|").split("|")[1:]]
        for line in text.splitlines()
        if line.count("|") == 6
    ]
    return rows[1:]


@pytest.mark.parametrize("guide", GUIDES)
def test_the_table(guide: str) -> None:
    assert ways((DOCS / guide).read_text()) == ways(TABLE)


def test_its_titles() -> None:
    lines = (DOCS / "istio.md").read_text().splitlines()
    assert all(line in lines for line in TABLE.strip().splitlines())


@pytest.mark.parametrize("guide", GUIDES)
def test_the_number_of_cells(guide: str) -> None:
    assert f" {len(cells())} " in (DOCS / guide).read_text()
