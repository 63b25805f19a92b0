"""Which podCIDRType `auto` comes to, by the detectors and by the cluster's own sources.

Evidence for a type is a CNI plugin that runs, or pod CIDRs that the cluster's own sources tell.
Without evidence the type of before stays; `none` needs all of them read and saying nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from spidercoordinator.api.clusterstatus import PodCIDRTypeName
from spidercoordinator.core.cidrs.ranges import usable
from spidercoordinator.core.cidrs.reports import DetectedPlugin, Presence, SourceReport


@dataclass(frozen=True, slots=True)
class ResolvedType:
    """A podCIDRType.

    Attributes:
        type: the type, None when auto cannot be resolved.
        reason: why that type, or why none can be told.
        conflicts: what speaks against it.
        unread: what could speak for another one and cannot be read now.
    """

    type: PodCIDRTypeName | None
    reason: str
    conflicts: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def resolve_pod_cidr_type(
    configured: PodCIDRTypeName,
    reports: Sequence[SourceReport],
    plugins: Sequence[DetectedPlugin],
    last: PodCIDRTypeName | None,
) -> ResolvedType:
    """Resolve `auto`.

    Args:
        configured: spec.podCIDRType; another one than auto is not second-guessed.
        reports: those of the sources.
        plugins: those of the detectors.
        last: the type in use before, None when there was none.
    """
    if configured != "auto":
        return ResolvedType(configured, f"spec.podCIDRType is {configured}")
    unread = tuple(each.unread for each in plugins if each.unread)
    # Agents without their objects are no evidence for a plugin, and none against the one in use:
    # its pools may just be on their way out with their kind.
    kept = [each for each in plugins if each.presence is Presence.DOUBTFUL and each.type == last]
    owners = [each for each in plugins if not each.chained or each in kept]
    running = [each for each in owners if each.presence is Presence.RUNNING]
    unknown = [each for each in owners if each.presence is Presence.UNKNOWN or each in kept]
    signs = [
        each
        for each in owners
        if each.presence in {Presence.LEFT_OVERS, Presence.DOUBTFUL} and each not in unknown
    ]
    if running and not any(each.type == last for each in unknown):
        return _of_plugins(running, last, unread)
    if unknown:
        return _undecided(unknown, running, last, unread)
    marked = [each for each in owners if each.presence is Presence.MARKED]
    if marked:
        return _of_marks(marked[0], reports, unread)
    resolved = _of_cluster(reports, signs, last, unread)
    ignored = [each.evidence for each in plugins if each.presence is Presence.ABSENT]
    return replace(resolved, reason=_join(filter(None, (resolved.reason, *ignored))))


def stays(
    resolved: ResolvedType, last: PodCIDRTypeName | None, unread: Sequence[str]
) -> ResolvedType:
    """The type of before, where the CIDRs of another one that speaks for itself cannot be read.

    Args:
        resolved: what auto comes to by its evidence.
        last: the type in use before, None when there was none.
        unread: which of its sources cannot be read, and why.
    """
    if last is None:
        return resolved
    why = _join(unread)
    conflict = (
        f"podCIDRType stays {last}, although {resolved.type} is found ({resolved.reason}), since"
        f" the pod CIDRs of that cannot be read: {why}; mend that, or set spec.podCIDR"
    )
    reason = f"as before; the pod CIDRs of {resolved.type} cannot be read"
    return replace(
        resolved,
        type=last,
        reason=reason,
        conflicts=(*resolved.conflicts, conflict),
        unread=(*resolved.unread, *unread),
    )


def _of_plugins(
    running: Sequence[DetectedPlugin], last: PodCIDRTypeName | None, unread: tuple[str, ...]
) -> ResolvedType:
    first = next((each for each in running if each.type == last), running[0])
    conflicts = tuple(
        f"both {first.type} ({first.evidence}) and {other.type} ({other.evidence}) run here, "
        f"{first.type} is taken; set spec.podCIDRType if that is wrong"
        for other in running
        if other is not first
    )
    return ResolvedType(first.type, first.evidence, conflicts, unread)


def _undecided(
    unknown: Sequence[DetectedPlugin],
    running: Sequence[DetectedPlugin],
    last: PodCIDRTypeName | None,
    unread: tuple[str, ...],
) -> ResolvedType:
    doubts = _join(f"{each.type}: {_doubt(each)}" for each in unknown)
    if last is None:
        reason = f"whether a CNI plugin with pools of its own runs here cannot be told: {doubts}"
        return ResolvedType(None, reason, unread=unread)
    # Agents that restart say nothing against the plugin in use.
    conflicts = tuple(
        f"podCIDRType stays {last}, but {each.type} may give pods their addresses"
        f" ({each.evidence}); set spec.podCIDRType"
        for each in (*unknown, *running)
        if each.type != last
    )
    return ResolvedType(last, f"as before; it cannot be told now: {doubts}", conflicts, unread)


def _of_marks(
    marked: DetectedPlugin, reports: Sequence[SourceReport], unread: tuple[str, ...]
) -> ResolvedType:
    conflict = f"podCIDRType {marked.type} is taken ({marked.evidence}), but no agents are known"
    if telling := _telling(reports):
        conflict += f" and {_join(telling, ', ')} has pod CIDRs"
    return ResolvedType(
        marked.type, marked.evidence, (f"{conflict}; set spec.podCIDRType",), unread
    )


def _telling(reports: Sequence[SourceReport]) -> list[str]:
    own = (each for each in reports if each.type == "cluster")
    return [each.source for each in own if usable(each.cidrs("pod"))[0]]


def _doubt(plugin: DetectedPlugin) -> str:
    unread = "" if plugin.unread in plugin.evidence else plugin.unread
    return _join(filter(None, (plugin.evidence, unread)))


def _of_cluster(
    reports: Sequence[SourceReport],
    signs: Sequence[DetectedPlugin],
    last: PodCIDRTypeName | None,
    unread: tuple[str, ...],
) -> ResolvedType:
    own = [each for each in reports if each.type == "cluster" and "pod" in each.kinds]
    telling = _telling(reports)
    not_read = (*unread, *(each.unread for each in own if each.unread))
    nobody = "no ready agents of Calico or Cilium were found"
    if telling:
        reason = f"{nobody}, and {_join(telling, ', ')} has pod CIDRs"
        return ResolvedType("cluster", reason, _against("cluster", telling, signs), unread)
    if last not in {None, "none"}:
        conflicts = _against(str(last), [], [each for each in signs if each.type != last])
        reason = f"as before; {nobody}, and no source tells of another type"
        return ResolvedType(last, reason, conflicts, not_read)
    if signs:
        first = signs[0]
        conflict = (
            f"podCIDRType {first.type} is concluded from left-overs alone ({first.evidence}):"
            " set spec.podCIDRType"
        )
        return ResolvedType(first.type, first.evidence, (conflict,), not_read)
    if not_read:
        reason = f"{nobody}, but not all sources of pod CIDRs can be read: {_join(not_read)}"
        return ResolvedType(last, reason, unread=not_read)
    return ResolvedType("none", f"{nobody}, and the cluster's own sources have no pod CIDRs")


def _against(
    taken: str, telling: Sequence[str], signs: Sequence[DetectedPlugin]
) -> tuple[str, ...]:
    because = f" from {_join(telling, ', ')}" if telling else ""
    return tuple(
        f"podCIDRType {taken}{because} is taken, although there are signs of {each.type}"
        f" ({each.evidence}); remove what is left of it, or set spec.podCIDRType"
        for each in signs
    )


def _join(texts: Iterable[str], by: str = "; ") -> str:
    return by.join(dict.fromkeys(texts))
