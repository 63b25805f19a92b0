"""What one source means for the others, before one of them is selected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from spidercoordinator.core.cidrs.backing import version
from spidercoordinator.core.cidrs.known import BESIDE
from spidercoordinator.core.cidrs.reports import SourceReport


def apply_precedence(reports: Sequence[SourceReport]) -> tuple[SourceReport, ...]:
    """The reports as candidates of their own, in the same order.

    Where a plugin hands out the pods' addresses itself, the cluster's other sources are none for
    pods. What pods have beside that becomes a part of what each of the others reports.

    Args:
        reports: those of all sources.
    """
    superseding = [each for each in reports if each.supersedes_cluster and _known(each)]
    if superseding:
        return tuple(
            each
            if each.type != "cluster" or each.supersedes_cluster
            else replace(each, kinds=tuple(kind for kind in each.kinds if kind != "pod"))
            for each in reports
        )
    additional = [each for each in reports if each.additional and _known(each)]
    others = [each for each in reports if not each.additional]
    if not any(each.type == "cluster" and each.pod for each in others):
        return tuple(reports)
    return tuple(_extended(each, additional) for each in others)


def _known(report: SourceReport) -> bool:
    return bool(report.pod or report.unread)


def _extended(report: SourceReport, additional: Sequence[SourceReport]) -> SourceReport:
    if report.type != "cluster" or not report.pod:
        return report
    families = {version(cidr) for cidr in report.pod}
    for each in additional:
        # Of a family that this source does not know, the next one may know the main range.
        cidrs = tuple(cidr for cidr in each.pod if version(cidr) in families)
        unread = "; ".join(filter(None, (report.unread, each.unread)))
        if cidrs or unread:
            source = f"{report.source}{BESIDE}{each.source}" if cidrs else report.source
            report = replace(report, source=source, pod=report.pod + cidrs, unread=unread)
    return report


def partial_sources(source: str, reports: Sequence[SourceReport]) -> tuple[str, ...]:
    """Those of the pod CIDRs' sources that tell only what exists today.

    Args:
        source: where the list in use comes from, as the status names it.
        reports: of all sources.
    """
    return tuple(each.source for each in reports if each.partial and each.source in source)
