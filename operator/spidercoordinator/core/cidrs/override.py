"""An override in a spec against what the sources tell: it is used, and what disagrees is said."""

from __future__ import annotations

from collections.abc import Sequence

from spidercoordinator.core.cidrs.families import Candidate
from spidercoordinator.core.cidrs.ranges import FAMILIES, of_family, uncovered


def override_conflicts(
    override: Sequence[str], field: str, candidates: Sequence[Candidate]
) -> tuple[str, ...]:
    """What the sources say against an override, family by family.

    One source that the override covers is enough: an override is there because some source tells
    something wrong, or nothing.

    Args:
        override: the ranges of the spec, normalised.
        field: which field of the spec they are.
        candidates: the sources of this list, most trusted first.
    """
    found = []
    for family in FAMILIES:
        own = of_family(override, family)
        told = {
            each.report.source: cidrs
            for each in candidates
            if (cidrs := of_family(each.cidrs, family))
        }
        if told and all(uncovered(cidrs, own) for cidrs in told.values()):
            sources = " and ".join(
                f"{source} says {', '.join(cidrs)}" for source, cidrs in told.items()
            )
            said = ", ".join(own) or f"nothing of IPv{family}"
            found.append(f"{field} says {said}, but {sources}; {field} is used")
    return tuple(found)
