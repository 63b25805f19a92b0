"""The selection among sources for one list and one family.

Reports come in order of trust. A source that told the list before and does not tell now is lost:
what it told stays, unless another source that knows the whole range is positive evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spidercoordinator.core.cidrs.known import FamilyCIDRs, main_source
from spidercoordinator.core.cidrs.ranges import Family, of_family, uncovered
from spidercoordinator.core.cidrs.reports import SourceReport


@dataclass(frozen=True, slots=True)
class Candidate:
    """A source and the ranges of one list that can be used.

    Attributes:
        report: of the source.
        cidrs: its ranges of this list, both families.
        missing: why they are not all that they should be: unread, absent, or not usable.
        faults: what it tells that is no range of a cluster, and why.
    """

    report: SourceReport
    cidrs: tuple[str, ...]
    missing: str = ""
    faults: tuple[str, ...] = ()

    @property
    def doubtful(self) -> bool:
        """Whether what it told before and does not tell now may still hold.

        An entry that is no range stands for one that nobody can read: it took nothing away.
        """
        return bool(self.report.unread or self.faults)


def select_family(
    candidates: Sequence[Candidate], family: Family, known: FamilyCIDRs | None
) -> FamilyCIDRs:
    """Choose the CIDRs of one family.

    Args:
        candidates: most trusted first.
        family: which one.
        known: those of before, None when there were none.
    """
    telling = [each for each in candidates if of_family(each.cidrs, family)]
    present = telling[0] if telling else None
    if known is None:
        return _first(candidates, present, family)
    owner = _owner(candidates, known)
    if present is None:
        gave_up = owner is not None and owner.cidrs and _is_judged(owner, family)
        # Its source still tells the other family: this one was taken away on purpose.
        return FamilyCIDRs() if gave_up else _kept(known)
    if owner in telling:
        return _with_unread(present, family, known)
    return _instead_of(owner, present, family, known)


def _is_judged(owner: Candidate, family: Family) -> bool:
    return not owner.doubtful and family not in owner.report.undecided


def _owner(candidates: Sequence[Candidate], known: FamilyCIDRs) -> Candidate | None:
    """The source that told the CIDRs of before; that of a CNI plugin goes by several names."""
    of_plugin = (each for each in candidates if each.report.type != "cluster")
    name = main_source(known.source)
    by_name = (each for each in candidates if main_source(each.report.source) == name)
    return next(by_name, None) or next(of_plugin, None)


def _first(
    candidates: Sequence[Candidate], present: Candidate | None, family: Family
) -> FamilyCIDRs:
    if present is None:
        return FamilyCIDRs()
    better = candidates[: candidates.index(present)]
    if _is_a_part(present) and any(each.report.unread for each in better):
        # Who knows the whole range cannot be read: that of today's nodes would cut off the others.
        return FamilyCIDRs()
    return _of(present, family)


def _with_unread(present: Candidate, family: Family, known: FamilyCIDRs) -> FamilyCIDRs:
    """What a source tells, and what was known before where a part of it cannot be read now."""
    found = _of(present, family)
    lost = uncovered(known.cidrs, found.cidrs) if present.doubtful else ()
    if not lost:
        return found
    return FamilyCIDRs((*found.cidrs, *lost), found.source, last_known=True)


def _instead_of(
    owner: Candidate | None, present: Candidate, family: Family, known: FamilyCIDRs
) -> FamilyCIDRs:
    """What takes the place of a source that was lost, or that is none any more."""
    found = _of(present, family)
    if owner is None:
        narrower = _is_a_part(present) and uncovered(known.cidrs, found.cidrs)
        return _kept(known) if narrower else found
    if _is_a_part(present):
        return _kept(known)
    if set(found.cidrs) == set(known.cidrs):
        return found
    return _kept(known) if owner.doubtful or owner.report.holds else found


def _is_a_part(candidate: Candidate) -> bool:
    """Whether what a source tells is never the range of the whole cluster."""
    return candidate.report.partial or candidate.report.additional


def _of(candidate: Candidate, family: Family) -> FamilyCIDRs:
    return FamilyCIDRs(of_family(candidate.cidrs, family), candidate.report.source)


def _kept(known: FamilyCIDRs) -> FamilyCIDRs:
    return FamilyCIDRs(known.cidrs, known.source, last_known=True)


def find_conflicts(
    candidates: Sequence[Candidate], family: Family, chosen: FamilyCIDRs
) -> tuple[str, ...]:
    """What other sources tell beyond the chosen CIDRs."""
    if not chosen.cidrs:
        return ()
    return tuple(
        f"{each.report.source} says {', '.join(beyond)}, which {chosen.source}"
        f" ({', '.join(chosen.cidrs)}) does not have"
        for each in candidates
        if each.report.source != chosen.source
        and (beyond := uncovered(of_family(each.cidrs, family), chosen.cidrs))
    )
