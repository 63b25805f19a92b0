"""Fixtures of the tests for stock kernels: the plugin as it is released, on a node."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed import built
from tests.cni.topology import Pod, Segment

# Its assertions say what they compared, as those in tests do.
pytest.register_assert_rewrite("tests.kernels.ifacer", "tests.kernels.proof")

_numbers = itertools.count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder as one that needs root."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.root)


@pytest.fixture(scope="session")
def binary() -> Path:
    """The plugin as it is released."""
    folder = built.folder()
    if folder is None or "KERNELS_GUEST" not in os.environ:
        pytest.fail("tests/kernels changes the whole machine, so only guests run it: make kernels")
    return folder / "coordinator"


@pytest.fixture
def segment(tmp_path: Path, binary: Path) -> Iterator[Segment]:
    """A node, a machine beside it and their segment."""
    with Segment(f"k{next(_numbers)}", tmp_path, binary) as made:
        yield made


@pytest.fixture
def pod(segment: Segment) -> Pod:
    """A pod without interfaces."""
    return segment.pod()
