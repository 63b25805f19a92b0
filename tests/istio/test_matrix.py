"""Every mesh, with and without vethLinkAddress, from everywhere, in every layout and family."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cni.topology import Segment
from tests.istio.cells import DROPPED, FAMILIES, MESHES, Cell, cells
from tests.istio.matrix import Group
from tests.istio.mesh import Answer, Tools

CELLS = cells()


class Results:
    """The answers of one group, and the group that gave them."""

    def __init__(self, group: Group, answers: dict[Cell, Answer]) -> None:
        self.group, self.answers = group, answers


@pytest.fixture(scope="module")
def results(
    request: pytest.FixtureRequest,
    tools: Tools,
    plugin: Path,
    missing: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Results]:
    """The answers of the group that the test's parameter names."""
    layout, families = request.param
    state = tmp_path_factory.mktemp("matrix")
    segment = Segment(f"matrix{os.getpid()}", state, plugin)
    try:
        segment.create()
        meshes = [mesh for mesh in MESHES if mesh not in missing]
        group = Group(segment, tools, layout, FAMILIES[families], meshes)
        group.build()
        here = [cell for cell in CELLS if cell.group == (layout, families)]
        own = [cell for cell in here if not missing.keys() & cell.needs]
        yield Results(group, group.run(own, state))
    finally:
        segment.delete()


@pytest.mark.parametrize(
    ("results", "cell"),
    [(cell.group, cell) for cell in CELLS],
    ids=[cell.title for cell in CELLS],
    indirect=["results"],
    scope="module",
)
def test_cell(results: Results, missing: dict[str, str], cell: Cell) -> None:
    for lacking in missing.keys() & cell.needs:
        pytest.skip(missing[lacking])
    answer = results.answers[cell]
    assert answer.way == cell.expected
    client = results.group.trip(cell).client
    if client and MESHES[cell.mesh].keeps_source and answer.way != DROPPED:
        assert answer.peer == client
