"""Many pods come and go on one node: nothing is left, and the last are as fast as the first.

SPIDERCOORDINATOR_SOAK_CYCLES sets how many (300); before a release it is 10,000.
"""

import os
import statistics
from pathlib import Path

import pytest

from tests.cni.conftest import wait_for
from tests.cni.soak import Soak
from tests.cni.topology import Segment

CYCLES = int(os.environ.get("SPIDERCOORDINATOR_SOAK_CYCLES", "300"))
WARM_UP = 18
"""Cycles after which everything has happened once, and what is made once only is there."""
COMPARED = 100

pytestmark = pytest.mark.timeout(900 + CYCLES)


@pytest.fixture
def soak(segment: Segment) -> Soak:
    """A node and two pods that stay."""
    return Soak(segment)


def test_nothing_is_left_of_pods_that_came_and_went(soak: Soak, tmp_path: Path) -> None:
    # For a moment the node's /var/lib is its own, and each file in it is one of the plugin's.
    soak.segment.var_lib = tmp_path / "var-lib"
    soak.segment.var_lib.mkdir()
    for number in range(WARM_UP):
        soak.cycle(number)
    assert list(soak.segment.var_lib.iterdir()) == []
    soak.segment.var_lib = None
    wait_for(lambda: not soak.is_tentative())
    before = soak.left()
    spent = [soak.cycle(WARM_UP + number) for number in range(CYCLES)]
    # Addresses of links that came again may be tentative once more.
    wait_for(lambda: not soak.is_tentative())
    assert soak.changed(before) == {}
    print(f"\nof {CYCLES} cycles of ADD and DEL, the median one:")  # noqa: T201 - figures to read
    for what, each in (
        ("wall clock", [one.seconds for one in spent]),
        ("processor", [one.processor for one in spent]),
    ):
        first, last = (
            1000 * statistics.median(part) for part in (each[:COMPARED], each[-COMPARED:])
        )
        print(  # noqa: T201 - same
            f"{what}: {first:.1f} ms in the first {COMPARED}, {last:.1f} ms in the last, "
            f"{last / first:.2f} of it"
        )
