"""Lists of CIDRs: one form, the fewest entries, the same addresses."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from spidercoordinator.core.cidrs.ranges import collapse, normalise, uncovered

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
