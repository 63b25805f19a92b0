"""Which pod and service CIDRs the cluster has: the selection among what the sources report.

A source gives a `SourceReport`. Reports come in order of trust; each list is selected by itself, so
a source that knows only one of the two does not spoil the other. What a less trusted source reports
beyond the selected list is a conflict: shown, never merged and never hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spidercoordinator.api.coordinator import PodCIDRTypeName, SpiderCoordinatorSpec
from spidercoordinator.core.cidrs.ranges import normalise, uncovered
from spidercoordinator.core.cidrs.reports import CIDRKind, DetectedPlugin, Presence, SourceReport


@dataclass(frozen=True, slots=True)
class SelectedCIDRs:
    """One list of CIDRs.

    Attributes:
        cidrs: normalised, without duplicates, in the order of the source.
        source: name of the source, empty when no source knows.
        tried: what was missing in each source, when none knows.
        conflicts: what other sources report that does not fit.
    """

    cidrs: tuple[str, ...] = ()
    source: str = ""
    tried: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DiscoveredCIDRs:
    """Both lists of a cluster.

    Attributes:
        type: the podCIDRType in use; what `auto` was resolved to.
        reason: why that type.
        pod: the pod CIDRs.
        service: the service CIDRs.
        warnings: conflicts that concern the type or a source itself.
    """

    type: PodCIDRTypeName
    reason: str
    pod: SelectedCIDRs
    service: SelectedCIDRs
    warnings: tuple[str, ...] = ()

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Everything that does not fit together."""
        return self.warnings + self.pod.conflicts + self.service.conflicts


CIDRCandidate = tuple[str, tuple[str, ...], str]
"""A source, its CIDRs, and what is missing in it."""


def select_first(candidates: Sequence[CIDRCandidate]) -> SelectedCIDRs:
    """Take the first candidate that has CIDRs.

    Args:
        candidates: most trusted first.
    """
    selected, source = next(((cidrs, name) for name, cidrs, _ in candidates if cidrs), ((), ""))
    if not source:
        return SelectedCIDRs(tried=tuple(missing for _, _, missing in candidates if missing))
    conflicts = tuple(
        f"{name} says {', '.join(beyond)}, which {source} ({', '.join(selected)}) does not have"
        for name, cidrs, _ in candidates
        if name != source and (beyond := uncovered(cidrs, selected))
    )
    return SelectedCIDRs(selected, source, conflicts=conflicts)


def select_cidrs(
    spec: SpiderCoordinatorSpec,
    reports: Sequence[SourceReport],
    plugins: Sequence[DetectedPlugin] = (),
) -> DiscoveredCIDRs:
    """Select both lists for a spec.

    Args:
        spec: of the effective SpiderCoordinator.
        reports: those of the sources, most trusted first.
        plugins: CNI plugins with pools of their own.
    """
    type_, reason, warnings = resolve_pod_cidr_type(spec.pod_cidr_type, reports, plugins)
    of_type = [report for report in reports if report.type == type_]
    if any(report.defers_to_cluster for report in of_type):
        of_type += [report for report in reports if report.type == "cluster"]
    if type_ == "none" and not spec.pod_cidr:
        pod = SelectedCIDRs(source="podCIDRType none")
    else:
        pod = select_first(_candidates(spec.pod_cidr, "spec.podCIDR", of_type, "pod"))
    service = select_first(_candidates(spec.service_cidr, "spec.serviceCIDR", reports, "service"))
    warnings += tuple(f"{each.source}: {each.warning}" for each in reports if each.warning)
    return DiscoveredCIDRs(type_, reason, pod, service, warnings)


def _candidates(
    override: Sequence[str] | None, field: str, reports: Sequence[SourceReport], kind: CIDRKind
) -> list[CIDRCandidate]:
    if override:
        # Who sets an override wants no comparison: it is for clusters that report something wrong.
        return [(field, normalise(override), "")]
    return [
        (each.source, normalise(each.pod if kind == "pod" else each.service), each.missing)
        for each in reports
        if kind in each.kinds
    ]


def resolve_pod_cidr_type(
    configured: PodCIDRTypeName,
    reports: Sequence[SourceReport],
    plugins: Sequence[DetectedPlugin],
) -> tuple[PodCIDRTypeName, str, tuple[str, ...]]:
    """Resolve `auto`: the type, why, and what speaks against it."""
    if configured != "auto":
        return configured, f"spec.podCIDRType is {configured}", ()
    present = [plugin for plugin in plugins if not plugin.chained]
    owners = [plugin for plugin in present if plugin.presence is Presence.RUNNING]
    owners = owners or [plugin for plugin in present if plugin.presence is not Presence.ABSENT]
    if owners:
        first, rest = owners[0], owners[1:]
        warnings = tuple(
            f"both {first.type} ({first.evidence}) and {other.type} ({other.evidence}) run here, "
            f"{first.type} is taken; set spec.podCIDRType if that is wrong"
            for other in rest
        )
        return first.type, first.evidence, warnings
    if any(report.pod for report in reports if report.type == "cluster"):
        return "cluster", "neither Calico nor Cilium gives pods their addresses here", ()
    reason = "neither Calico nor Cilium gives pods their addresses here, nor does the cluster"
    return "none", reason, ()
