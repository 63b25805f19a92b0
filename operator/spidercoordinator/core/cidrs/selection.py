"""Which pod and service CIDRs the cluster has: the selection among what the sources report.

Reports come in order of trust; each list is selected by itself and each family by itself, so a
source that knows only one of them does not spoil the other. What a less trusted source reports
beyond the selected list is a conflict: shown, never merged and never hidden. What was known last
stays when nobody can tell (`families`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spidercoordinator.api.clusterstatus import PodCIDRTypeName
from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.core.cidrs.families import Candidate, find_conflicts, select_family
from spidercoordinator.core.cidrs.known import FamilyCIDRs, KnownList, LastKnown, source_text
from spidercoordinator.core.cidrs.override import override_conflicts
from spidercoordinator.core.cidrs.podtype import ResolvedType, resolve_pod_cidr_type, stays
from spidercoordinator.core.cidrs.precedence import apply_precedence, partial_sources
from spidercoordinator.core.cidrs.ranges import FAMILIES, Family, normalise, uncovered, usable
from spidercoordinator.core.cidrs.reports import CIDRKind, DetectedPlugin, SourceReport


@dataclass(frozen=True, slots=True)
class SelectedCIDRs:
    """One list of CIDRs.

    Attributes:
        cidrs: normalised, without duplicates, in the order of the source.
        source: name of the source, or of each family's; empty when no source knows.
        tried: what was missing in each source, when some of the list is unknown or last known.
        conflicts: what other sources report that does not fit.
        last_known: whether some of it is that of before, since its source does not tell now.
        unread: which sources of this list cannot be read now, and why.
    """

    cidrs: tuple[str, ...] = ()
    source: str = ""
    tried: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    last_known: bool = False
    unread: tuple[str, ...] = ()

    @property
    def told(self) -> bool:
        """Whether a source, or the spec, tells all of it now."""
        return bool(self.source) and not self.last_known


@dataclass(frozen=True, slots=True)
class DiscoveredCIDRs:
    """Both lists of a cluster.

    Attributes:
        type: the podCIDRType in use; what `auto` was resolved to, None when it cannot be.
        reason: why that type.
        pod: the pod CIDRs.
        service: the service CIDRs.
        warnings: conflicts that concern the type or a source itself.
        type_unread: what of the evidence for the type cannot be read now, and why.
        partial: sources of the pod CIDRs that tell only what exists today, such as the nodes.
    """

    type: PodCIDRTypeName | None
    reason: str
    pod: SelectedCIDRs
    service: SelectedCIDRs
    warnings: tuple[str, ...] = ()
    type_unread: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Everything that does not fit together."""
        return tuple(dict.fromkeys(self.warnings + self.pod.conflicts + self.service.conflicts))

    @property
    def unread(self) -> tuple[str, ...]:
        """Everything that cannot be read now although it may count."""
        return tuple(dict.fromkeys(self.type_unread + self.pod.unread + self.service.unread))


def select_cidrs(
    spec: SpiderCoordinatorSpec,
    reports: Sequence[SourceReport],
    plugins: Sequence[DetectedPlugin] = (),
    known: LastKnown = LastKnown(),  # noqa: B008 - it is immutable
) -> DiscoveredCIDRs:
    """Select both lists for a spec.

    Args:
        spec: of the effective SpiderCoordinator.
        reports: those of the sources, most trusted first.
        plugins: CNI plugins with pools of their own.
        known: what was in use before.
    """
    reports = apply_precedence(reports)
    resolved = resolve_pod_cidr_type(spec.pod_cidr_type, reports, plugins, known.type)
    if spec.pod_cidr:
        of_type = _candidates(_of_type(reports, resolved.type), "pod")
        pod = _overridden(spec.pod_cidr, "spec.podCIDR", of_type)
    else:
        pod = _of_pods(reports, resolved.type, known)
        if spec.pod_cidr_type == "auto" and _is_unread(pod) and known.type != resolved.type:
            resolved = stays(resolved, known.type, pod.unread)
            pod = _of_pods(reports, resolved.type, known)
    beside = _running_beside(reports, resolved, pod) if spec.pod_cidr_type == "auto" else ()
    of_services = _candidates(reports, "service")
    if spec.service_cidr:
        service = _overridden(spec.service_cidr, "spec.serviceCIDR", of_services)
    else:
        service = select_list(of_services, known.service)
    return DiscoveredCIDRs(
        resolved.type,
        resolved.reason,
        pod,
        service,
        resolved.conflicts + beside + _warnings(reports),
        # With an override the type does not matter.
        () if spec.pod_cidr else resolved.unread,
        partial_sources(pod.source, reports),
    )


def _of_pods(
    reports: Sequence[SourceReport], type_: PodCIDRTypeName | None, known: LastKnown
) -> SelectedCIDRs:
    """The pod CIDRs of a type; those of before count where they were of the same."""
    if type_ == "none":
        return SelectedCIDRs(source="podCIDRType none")
    before = known.pod if known.type == type_ else KnownList()
    return select_list(_candidates(_of_type(reports, type_), "pod", before.cidrs), before)


def _is_unread(selected: SelectedCIDRs) -> bool:
    """Whether a list is not known because it cannot be read."""
    return not selected.source and bool(selected.unread)


def _of_type(reports: Sequence[SourceReport], type_: PodCIDRTypeName | None) -> list[SourceReport]:
    of_type = [report for report in reports if report.type == type_]
    if any(report.defers_to_cluster for report in of_type):
        of_type += [report for report in reports if report.type == "cluster"]
    return of_type


def _running_beside(
    reports: Sequence[SourceReport], resolved: ResolvedType, pod: SelectedCIDRs
) -> tuple[str, ...]:
    """Networks that run beside the plugin whose ranges are taken, as amid a migration."""
    if resolved.type not in {"calico", "cilium"}:
        return ()
    return tuple(
        f"podCIDRType {resolved.type} is taken ({resolved.reason}), but {each.runs}, too, and"
        f" {each.source} says {', '.join(beyond)}: pods that have addresses from there are not"
        " reached through their node; end the migration, or set spec.podCIDR to the ranges of both"
        for each in reports
        if each.type == "cluster"
        and each.runs
        and (beyond := uncovered(usable(each.pod)[0], pod.cidrs))
    )


def _warnings(reports: Sequence[SourceReport]) -> tuple[str, ...]:
    return tuple(f"{each.source}: {each.warning}" for each in reports if each.warning)


def select_list(candidates: Sequence[Candidate], known: KnownList) -> SelectedCIDRs:
    """Select one list, each family by itself.

    Args:
        candidates: most trusted first.
        known: the list of before.
    """
    chosen = {
        family: select_family(candidates, family, known.by_family.get(family))
        for family in FAMILIES
    }
    conflicts = [
        text for family in FAMILIES for text in find_conflicts(candidates, family, chosen[family])
    ]
    last_known = any(each.last_known for each in chosen.values())
    source = source_text(chosen)
    missing = tuple(dict.fromkeys(each.missing for each in candidates if each.missing))
    return SelectedCIDRs(
        _in_order(candidates, known, chosen),
        source,
        tried=missing if last_known or not source else (),
        conflicts=(*conflicts, *_faults(candidates)),
        last_known=last_known,
        unread=tuple(each.report.unread for each in candidates if each.report.unread),
    )


def _in_order(
    candidates: Sequence[Candidate], known: KnownList, chosen: Mapping[Family, FamilyCIDRs]
) -> tuple[str, ...]:
    """In the order of the source, or of before, where all are from there; else IPv4 first."""
    found = tuple(cidr for family in FAMILIES for cidr in chosen[family].cidrs)
    lists = (*(each.cidrs for each in candidates), known.cidrs)
    return next((each for each in lists if set(each) == set(found)), found)


def _candidates(
    reports: Sequence[SourceReport], kind: CIDRKind, before: Sequence[str] = ()
) -> list[Candidate]:
    """The sources of a list.

    Args:
        reports: of all sources.
        kind: which list.
        before: what was in use before; of what is uncertain, only that counts, if there was any.
    """
    candidates = []
    for report in reports:
        if kind in report.kinds:
            left_out = set(report.uncertain) - set(before) if before else set()
            told = (each for each in report.cidrs(kind) if each not in left_out)
            ranges, faults = usable(told)
            named = f"{report.source}: {'; '.join(faults)}" if faults else ""
            missing = report.unread or named or report.missing
            candidates.append(Candidate(report, ranges, missing, faults))
    return candidates


def _faults(candidates: Sequence[Candidate]) -> tuple[str, ...]:
    return tuple(
        f"{each.report.source}: {fault}; it is not used"
        for each in candidates
        for fault in each.faults
    )


def _overridden(
    override: Sequence[str], field: str, candidates: Sequence[Candidate]
) -> SelectedCIDRs:
    cidrs = normalise(override)
    return SelectedCIDRs(cidrs, field, conflicts=override_conflicts(cidrs, field, candidates))
