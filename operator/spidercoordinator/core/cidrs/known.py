"""What was known last, as the status keeps it over restarts, and how status names its sources."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from spidercoordinator.api.clusterstatus import PodCIDRTypeName
from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.ranges import FAMILIES, Family, of_family

LAST_KNOWN: Final = "last known, from "
BESIDE: Final = " and "
"""Between the names of a source and of one whose CIDRs are in use beside its own."""
_BY_FAMILY: Final = re.compile(r"(?P<four>.+) \(IPv4\), (?P<six>.+) \(IPv6\)")


@dataclass(frozen=True, slots=True)
class FamilyCIDRs:
    """The CIDRs of one list and one family.

    Attributes:
        cidrs: normalised, in the order of the source; empty when the family is not used.
        source: name of the source, empty when there are none.
        last_known: whether they are those of before, since the source does not tell now.
    """

    cidrs: tuple[str, ...] = ()
    source: str = ""
    last_known: bool = False


@dataclass(frozen=True, slots=True)
class KnownList:
    """A list of before.

    Attributes:
        cidrs: both families, in the order in use.
        by_family: what of it was discovered; what a spec said, says nothing of the cluster.
    """

    cidrs: tuple[str, ...] = ()
    by_family: Mapping[Family, FamilyCIDRs] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LastKnown:
    """What the status says of before.

    Attributes:
        type: the podCIDRType in use, None when none was resolved.
        pod: the pod CIDRs.
        service: the service CIDRs.
    """

    type: PodCIDRTypeName | None = None
    pod: KnownList = KnownList()
    service: KnownList = KnownList()


def last_known(status: Object, generation: int) -> LastKnown:
    """Read a SpiderCoordinator's status.

    Args:
        status: as it is now.
        generation: metadata.generation of the spec that is in force. A type without CIDRs that
            another spec led to says nothing of what auto would come to.
    """
    type_, pod = status.get("podCIDRType"), _discovered(status, "overlayPodCIDR")
    if not pod.by_family and status.get("observedGeneration") != generation:
        type_ = None
    return LastKnown(type_, pod, _discovered(status, "serviceCIDR"))


def _discovered(status: Object, field_name: str) -> KnownList:
    cidrs = tuple(status.get(field_name) or ())
    source = (status.get("sources") or {}).get(field_name) or ""
    found = {}
    for family, name in split_source(source).items():
        own = of_family(cidrs, family)
        if own and name and not name.startswith("spec."):
            found[family] = FamilyCIDRs(own, name)
    return KnownList(cidrs, found)


def split_source(text: str) -> dict[Family, str]:
    """The source of each family, without the mark of what is last known."""
    by_family = _BY_FAMILY.fullmatch(text)
    names = (by_family["four"], by_family["six"]) if by_family else (text, text)
    return {
        family: name.removeprefix(LAST_KNOWN) for family, name in zip(FAMILIES, names, strict=True)
    }


def main_source(name: str) -> str:
    """The name of a source without those whose CIDRs are in use beside its own."""
    return name.partition(BESIDE)[0]


def source_text(chosen: Mapping[Family, FamilyCIDRs]) -> str:
    """How status names the sources: once where both families have the same."""
    names = {
        family: (LAST_KNOWN if each.last_known else "") + each.source
        for family, each in chosen.items()
        if each.cidrs
    }
    if len(set(names.values())) <= 1:
        return next(iter(names.values()), "")
    return f"{names[4]} (IPv4), {names[6]} (IPv6)"
