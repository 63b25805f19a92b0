"""Lists of CIDRs: one form, the fewest entries, the same addresses."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spidercoordinator.core.cidrs.ranges import (
    collapse,
    doubtful,
    normalise,
    of_family,
    uncovered,
    usable,
)

networks = st.builds(
    lambda address, length: str(ipaddress.ip_network((address, length), strict=False)),
    st.integers(0, 2**32 - 1),
    st.integers(8, 32),
)


@given(st.lists(networks, max_size=30))
def test_collapsing_covers_the_same_addresses(entries: list[str]) -> None:
    merged = collapse(entries)
    assert uncovered(entries, merged) == ()
    assert sum(ipaddress.ip_network(entry).num_addresses for entry in merged) == sum(
        entry.num_addresses
        for entry in ipaddress.collapse_addresses(ipaddress.IPv4Network(e) for e in entries)
    )
    assert collapse(merged) == merged


@given(st.lists(networks, max_size=30))
def test_normalising_twice_changes_nothing_and_keeps_the_order(entries: list[str]) -> None:
    once = normalise(entries)
    assert normalise(once) == once
    assert list(once) == sorted(set(entries), key=entries.index)


def test_what_is_no_range_stays_as_written_until_it_is_named() -> None:
    entries = normalise([" 10.1.2.3/16 ", "10.96.0.0", "nonsense", "", "10.1.0.0/16"])
    assert entries == ("10.1.0.0/16", "10.96.0.0", "nonsense")
    ranges, faults = usable(entries)
    assert ranges == ("10.1.0.0/16",)
    assert [fault.split(" is ")[0] for fault in faults] == ['"10.96.0.0"', '"nonsense"']


def test_a_list_is_split_by_family_in_its_order() -> None:
    entries = ("fd00::/48", "10.1.0.0/16", "fd01::/48", "nonsense")
    assert of_family(entries, 4) == ("10.1.0.0/16",)
    assert of_family(entries, 6) == ("fd00::/48", "fd01::/48")


@pytest.mark.parametrize(
    ("entry", "doubted"),
    [
        ("10.96.0.0/32", True),
        ("fd00::1/128", True),
        ("fd00::/8", True),
        ("10.0.0.0/8", False),
        ("fd00::/48", False),
        ("nonsense", False),
    ],
)
def test_a_range_that_is_probably_not_meant(entry: str, doubted: bool) -> None:
    assert bool(doubtful(entry)) == doubted
    assert not doubted or f'"{entry}"' in doubtful(entry)
