"""Whether a range that somebody wrote down is the one from which nodes got their pod CIDRs."""

from __future__ import annotations

from collections.abc import Iterable
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
    known = tuple(nodes)
    return tuple(each for each in ranges if len(uncovered(known, [each])) < len(known))


def left_over(ranges: Iterable[str], nodes: Iterable[str]) -> tuple[str, ...]:
    """The ranges that hold no pod CIDR of any node, although nodes have some of that family.

    They are what is left of a network that is gone: nodes have got theirs from elsewhere.

    Args:
        ranges: CIDRs that a configuration names; what is no CIDR is passed over.
        nodes: pod CIDRs of nodes.
    """
    known = tuple(nodes)
    families = {version(each) for each in known}
    return tuple(
        each for each in ranges if version(each) in families and not holding([each], known)
    )


def version(entry: str) -> int | None:
    """4 or 6, None for what is neither an address nor a CIDR."""
    network = parse_network(entry)
    return network.version if network is not None else None
