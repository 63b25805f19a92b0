"""Whether a range that somebody wrote down is the one from which nodes got their pod CIDRs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from spidercoordinator.api.scalars import parse_network
from spidercoordinator.core.cidrs.ranges import uncovered

IPV4: Final = 4


def holding(ranges: Iterable[str], nodes: Iterable[str]) -> tuple[str, ...]:
    """The ranges that hold a pod CIDR of some node.

    Args:
        ranges: CIDRs, such as a default that nobody wrote down.
        nodes: pod CIDRs of nodes.
    """
    return _holding(tuple(ranges), tuple(nodes))


def left_over(ranges: Iterable[str], nodes: Iterable[str]) -> tuple[str, ...]:
    """The ranges that hold no pod CIDR of any node, although nodes have some of that family.

    They are what is left of a network that is gone: nodes have got theirs from elsewhere.

    Args:
        ranges: CIDRs that a configuration names; what is no CIDR is passed over.
        nodes: pod CIDRs of nodes.
    """
    named, known = tuple(ranges), tuple(nodes)
    if not named:
        return ()
    held = set(_holding(named, known))
    return tuple(each for each in named if each not in held and version(each) in _families(known))


# Thousands of nodes take long to parse, and are mostly the same at the next reconcile.
@lru_cache(maxsize=16)
def _holding(ranges: tuple[str, ...], nodes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each for each in ranges if len(uncovered(nodes, [each])) < len(nodes))


@lru_cache(maxsize=4)
def _families(nodes: tuple[str, ...]) -> frozenset[int | None]:
    return frozenset(version(each) for each in nodes)


def version(entry: str) -> int | None:
    """4 or 6, None for what is neither an address nor a CIDR."""
    network = parse_network(entry)
    return network.version if network is not None else None
