"""Which of many ranges of addresses overlap, found in one pass over them in order.

A range is compared with its neighbours only, so that thousands of networks cost one pass, and so
that one network's change alters what is said of its neighbours, not of all that overlap it.
`core.network.sharing` says when two networks share addresses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from spidercoordinator.api.objects import Name
from spidercoordinator.core.network.addressrange import AddressRange
from spidercoordinator.core.network.sharing import AddressPool

Order = tuple[int, int, Name]
"""What claims are sorted by: first and last address, namespace and name."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One range of a network's, on one link.

    Attributes:
        order: its place among others.
        pool: of the network.
        range: of addresses.
    """

    order: Order
    pool: AddressPool
    range: AddressRange

    @classmethod
    def of(cls, pool: AddressPool, given: AddressRange) -> Self:
        """The claim of a network on one of its ranges."""
        return cls((int(given.first), int(given.last), pool.network), pool, given)


def overlapping(claims: Sequence[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """Each claim whose addresses another network gives as well, with that network's.

    It is the next one that starts inside it, or one before.

    Args:
        claims: On one link and of one address family, in their order.
    """
    after = list(_following(claims))
    for claim, one, other in zip(claims, _preceding(claims), reversed(after), strict=True):
        partner = other or one
        if partner is not None:
            yield claim, partner


@dataclass(slots=True)
class _Best:
    """The best claim so far, and the best that one of any other store may be compared with.

    Attributes:
        any: the best of all.
        other: the best whose store is not that of `any`.
        host_local: the best of host-local.
    """

    any: Claim | None = None
    other: Claim | None = None
    host_local: Claim | None = None

    def partner(self, claim: Claim) -> Claim | None:
        """The best of those whose plugin does not know what this one's gave."""
        if not claim.pool.store:
            return self.host_local
        if self.any is not None and self.any.pool.store == claim.pool.store:
            return self.other
        return self.any

    def take(self, claim: Claim) -> None:
        """Have this one be the best of all."""
        if self.any is not None and self.any.pool.store != claim.pool.store:
            self.other = self.any
        self.any = claim

    def take_second(self, claim: Claim) -> None:
        """Have this one be the best of the other stores."""
        if self.any is not None and self.any.pool.store != claim.pool.store:
            self.other = claim


def _following(claims: Sequence[Claim]) -> Iterator[Claim | None]:
    """From the last claim to the first, the nearest one after it that overlaps it."""
    best = _Best()
    for claim in reversed(claims):
        partner = best.partner(claim)
        yield partner if partner is not None and partner.order[0] <= claim.order[1] else None
        best.take(claim)
        if claim.pool.store:
            best.host_local = claim


def _preceding(claims: Sequence[Claim]) -> Iterator[Claim | None]:
    """From the first claim to the last, the one before it that reaches furthest, if it overlaps."""
    best = _Best()
    for claim in claims:
        first, last, _ = claim.order
        partner = best.partner(claim)
        yield partner if partner is not None and partner.order[1] >= first else None
        if best.any is None or last >= best.any.order[1]:
            best.take(claim)
        elif best.other is None or last >= best.other.order[1]:
            best.take_second(claim)
        if claim.pool.store and (best.host_local is None or last >= best.host_local.order[1]):
            best.host_local = claim
