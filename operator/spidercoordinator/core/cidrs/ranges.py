"""Lists of CIDRs: in one form, in the fewest entries, and what one has beyond another."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses
from typing import Final, Literal

from spidercoordinator.api.clusterrange import cluster_range_fault
from spidercoordinator.api.scalars import IPNetwork, parse_network

Family = Literal[4, 6]
FAMILIES: Final[tuple[Family, ...]] = (4, 6)


def normalise(entries: Iterable[str]) -> tuple[str, ...]:
    """CIDRs with host bits masked and duplicates dropped, order kept.

    What is no range with a prefix length, such as a bare address, stays as it is written, so that
    whoever uses the list can name it (`usable`).
    """
    stripped = (entry.strip() for entry in entries)
    return tuple(dict.fromkeys(_masked(entry) for entry in stripped if entry))


def _masked(entry: str) -> str:
    network = parse_network(entry) if "/" in entry else None
    return entry if network is None else str(network)


def usable(entries: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The entries that can be ranges of a cluster, normalised, and why each other one cannot."""
    faults = {entry: cluster_range_fault(entry) for entry in normalise(entries)}
    ranges = tuple(entry for entry, fault in faults.items() if not fault)
    return ranges, tuple(fault for fault in faults.values() if fault)


def of_family(entries: Iterable[str], family: Family) -> tuple[str, ...]:
    """The CIDRs of one family, order kept."""
    parsed = ((entry, parse_network(entry)) for entry in entries)
    return tuple(entry for entry, network in parsed if network and network.version == family)


def doubtful(entry: str) -> str:
    """Why a range that is allowed is probably not meant, for people; empty when it may be."""
    network = parse_network(entry)
    if network is None:
        return ""
    if network.num_addresses == 1:
        return f'"{entry}" is a single address; a range of a cluster has more, such as 10.96.0.0/12'
    if network.version == _IPV6 and network.prefixlen < _SHORTEST_IPV6:
        return f'"{entry}" is far larger than the range of a cluster, such as fd00:10:244::/56'
    return ""


_IPV6: Final = 6
_SHORTEST_IPV6: Final = 16
"""No registry gives a network a shorter prefix, and RFC 4193 makes local ones /48."""


def collapse(entries: Iterable[str]) -> tuple[str, ...]:
    """The fewest CIDRs that cover exactly the given ones, IPv4 first."""
    return _collapse(tuple(entries))


# Those of thousands of nodes take a third of a second, and are asked for at every reconcile.
@lru_cache(maxsize=4)
def _collapse(entries: tuple[str, ...]) -> tuple[str, ...]:
    parsed = [network for entry in entries if (network := parse_network(entry)) is not None]
    four = collapse_addresses([network for network in parsed if isinstance(network, IPv4Network)])
    six = collapse_addresses([network for network in parsed if isinstance(network, IPv6Network)])
    return tuple(str(network) for network in (*four, *six))


def uncovered(entries: Iterable[str], by: Iterable[str]) -> tuple[str, ...]:
    """The entries that lie in none of the networks `by`."""
    cover = [network for entry in by if (network := parse_network(entry)) is not None]
    return tuple(
        entry
        for entry in entries
        if (inner := parse_network(entry)) is not None
        and not any(_contains(outer, inner) for outer in cover)
    )


def _contains(outer: IPNetwork, inner: IPNetwork) -> bool:
    return (
        outer.version == inner.version
        and int(outer.network_address) <= int(inner.network_address)
        and int(inner.broadcast_address) <= int(outer.broadcast_address)
    )
