"""Lists of CIDRs: in one form, in the fewest entries, and what one has beyond another."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

from spidercoordinator.api.scalars import IPNetwork, parse_network


def normalise(entries: Iterable[str]) -> tuple[str, ...]:
    """CIDRs with host bits masked and duplicates dropped, order kept; a bare address is a /32.

    Entries that are no networks are dropped: sources are parsed before, specs are validated.
    """
    networks = (parse_network(entry.strip()) for entry in entries)
    return tuple(dict.fromkeys(str(network) for network in networks if network is not None))


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
