from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spidercoordinator.core.cidrs.backing import holding, left_over

NODES = ("10.244.3.0/24", "10.244.9.0/24", "fd44:0:0:3::/64")


@pytest.mark.parametrize(
    ("ranges", "nodes", "held", "left"),
    [
        pytest.param(["10.244.0.0/16"], NODES, ["10.244.0.0/16"], [], id="holds them"),
        pytest.param(["10.42.0.0/16"], NODES, [], ["10.42.0.0/16"], id="holds none"),
        pytest.param(["10.244.3.0/24"], NODES, ["10.244.3.0/24"], [], id="holds one"),
        pytest.param(["fd99::/56"], NODES[:2], [], [], id="nodes have none of the family"),
        pytest.param(["10.42.0.0/16"], (), [], [], id="no nodes"),
        pytest.param(["nonsense", "10.244.0.0"], NODES, [], ["10.244.0.0"], id="no CIDRs"),
    ],
)
def test_ranges_and_the_nodes(
    ranges: list[str], nodes: tuple[str, ...], held: list[str], left: list[str]
) -> None:
    assert holding(ranges, nodes) == tuple(held)
    assert left_over(ranges, nodes) == tuple(left)


@given(st.lists(st.integers(0, 255), min_size=1, max_size=5), st.integers(8, 24))
def test_a_range_is_never_both(seconds: list[int], length: int) -> None:
    nodes = [f"10.244.{second}.0/24" for second in seconds]
    whole = str(ip_network(f"10.244.{seconds[0]}.0/{length}", strict=False))
    assert holding([whole], nodes) == (whole,)
    assert left_over([whole], nodes) == ()
