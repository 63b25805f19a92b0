"""What all networks give addresses from, and which of them give out the same ones."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

from spidercoordinator.api.objects import Name, Object, name_of
from spidercoordinator.core.network.overlaps import Claim, Order, overlapping
from spidercoordinator.core.network.sharing import AddressPool, overlap_message, pool_of

_SECONDS: Final = 1.0
"""Least time between two comparisons."""

_Link = tuple[str, int, int]
"""A link, the VLAN on it, and 4 or 6 for the address family."""
_Pair = tuple[Claim, Claim]


@dataclass(slots=True)
class RangeIndex:
    """See the module. A network is read when it changes, and all of a link are compared at once.

    That is done at most once a second, however many networks change.

    Attributes:
        pools: what each network gives addresses from, where that can be read.
    """

    pools: dict[Name, AddressPool] = field(default_factory=dict)
    _claims: dict[_Link, list[Claim]] = field(default_factory=dict)
    _found: dict[_Link, dict[Name, _Pair]] = field(default_factory=dict)
    _changed: set[_Link] = field(default_factory=set)
    _default: Mapping[str, Any] = field(default_factory=dict)
    _compared: float | None = None

    def update(self, network: Object) -> None:
        """Read a network that came or changed."""
        name, pool = name_of(network), pool_of(network, self._default, linked=False)
        if pool == self.pools.get(name):
            return
        self.remove(name)
        if pool is None:
            return
        self.pools[name] = pool
        for link, claim in _claims_of(pool):
            claims = self._claims.setdefault(link, [])
            claims.insert(_place(claims, claim.order), claim)
            self._changed.add(link)

    def remove(self, network: Name) -> None:
        """Drop a network."""
        pool = self.pools.pop(network, None)
        if pool is None:
            return
        for link, claim in _claims_of(pool):
            claims = self._claims[link]
            del claims[_place(claims, claim.order)]
            self._changed.add(link)

    def follow(self, default_ipam: Mapping[str, Any], networks: Mapping[Name, Object]) -> None:
        """Take over the IPAM of networks that name none, and read all anew if it is another one."""
        if default_ipam != self._default:
            self._default = default_ipam
            self._compared = None
            for each in networks.values():
                self.update(each)

    def due(self, now: float) -> bool:
        """Whether to compare: the first time, and some time after changes.

        Args:
            now: Seconds of a clock that only goes on.
        """
        if self._compared is None:
            return True
        return bool(self._changed) and now - self._compared >= _SECONDS

    def compare(self, now: float) -> set[Name]:
        """Compare the networks; returns those of which something else holds than before.

        Args:
            now: Seconds of a clock that only goes on.
        """
        concerned: set[Name] = set()
        for link in self._changed:
            before = self._found.pop(link, {})
            after = _first_pairs(self._claims.get(link) or [])
            names = before.keys() | after.keys()
            concerned |= {name for name in names if _orders(before, name) != _orders(after, name)}
            if after:
                self._found[link] = after
            if not self._claims.get(link):
                self._claims.pop(link, None)
        self._changed, self._compared = set(), now
        return concerned

    def overlap(self, network: Name) -> str | None:
        """Why pods of a network and of another get the same addresses; None when they do not.

        That is as of the last comparison.
        """
        for link in sorted(self._found):
            if pair := self._found[link].get(network):
                own, other = pair
                return overlap_message(own.range, other.range, other.pool)
        return None


def _claims_of(pool: AddressPool) -> Iterator[tuple[_Link, Claim]]:
    for each in pool.ranges:
        claim = Claim.of(pool, each)
        for name, vlan in pool.links:
            yield (name, vlan, each.subnet.version), claim


def _place(claims: list[Claim], order: Order) -> int:
    return bisect_left(claims, order, key=attrgetter("order"))


def _first_pairs(claims: list[Claim]) -> dict[Name, _Pair]:
    """For each network its first claim that overlaps another's, and that one."""
    found: dict[Name, _Pair] = {}
    if any(claim.pool.store for claim in claims):  # else each plugin knows what all gave
        for pair in overlapping(claims):
            found.setdefault(pair[0].pool.network, pair)
    return found


def _orders(found: Mapping[Name, _Pair], name: Name) -> tuple[Order, Order] | None:
    pair = found.get(name)
    return (pair[0].order, pair[1].order) if pair else None
