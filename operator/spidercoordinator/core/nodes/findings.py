"""What nodes lack of what a network needs, and what follows for it.

What no node has fails every pod. What some nodes have is worth a warning: pods may be kept to
these. Of nodes that do not tell nothing is claimed; they are named apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.nodes.fleet import Answer, Fleet
from spidercoordinator.core.nodes.needs import Need
from spidercoordinator.core.status.conditions import ConditionState
from spidercoordinator.core.status.warnings import FieldWarning, joined

NODES_READY: Final = "NodesReady"
"""The condition that tells whether nodes have what pods of the network need."""
_ALL: Final = "AllNodes"
SOME: Final = "SomeNodes"
"""Reason of NodesReady where some nodes lack something; its status is True."""
_READY: Final = "Ready"

FRESH: Final = 300.0
"""Seconds after which a report counts as none."""
_MINUTE: Final = 60
_HOUR: Final = 3600
_FRESHNESS: Final = f"Nodes' reports are at most {FRESH / 60:.0f} minutes old"
_ALL_MESSAGE: Final = "each node that reports has the plugins and interfaces that pods need"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that pods of a network need and some of the nodes lack.

    Attributes:
        need: what it is.
        answer: which nodes lack it.
    """

    need: Need
    answer: Answer

    @property
    def nowhere(self) -> bool:
        """Whether no node is known to have it."""
        return not self.answer.have

    @property
    def fatal(self) -> bool:
        """Whether pods can start on no node at all."""
        return self.nowhere and not self.answer.unknown.count

    @property
    def warning(self) -> FieldWarning:
        """It as a warning of the field that wants it."""
        need, answer = self.need, self.answer
        told = answer.have + answer.lacking.count
        found = f"; found {answer.found}" if answer.found else ""
        shown = f"({answer.lacking.shown}{found})"
        if told == 1:
            where = f"on the only node that reports {shown}, so pods fail"
        elif self.nowhere:
            where = f"on any of the {told} nodes that report {shown}, so pods fail"
        else:
            where = f"on {answer.lacking.count} of {told} nodes {shown}, so pods fail there"
        unknown = answer.unknown
        apart = f"; of {unknown.count} it is not known ({unknown.shown})" if unknown.count else ""
        text = f"{need.what} {need.lack} {where}: {need.remedy}{apart}"
        return FieldWarning(need.reason, need.field, text)


def findings(needs: Iterable[Need], fleet: Fleet) -> list[Finding]:
    """What nodes lack of what is needed, what no node has first."""
    asked = (Finding(need, fleet.answer(need.question)) for need in needs)
    found = [each for each in asked if each.answer.lacking.count]
    return sorted(found, key=lambda each: (not each.fatal, not each.nowhere))


@dataclass(frozen=True, slots=True)
class Served:
    """Whether nodes serve a network.

    Attributes:
        conditions: NodesReady; none where no node reports anything.
        blocking: the condition, where it keeps the network from being ready.
    """

    conditions: Sequence[ConditionState] = ()
    blocking: ConditionState | None = None


def served(found: Sequence[Finding], fleet: Fleet) -> Served:
    """What follows from what the nodes lack.

    Its texts have no time in them and no count of nodes that lack nothing: thousands of networks
    are not written anew because a report got older, or a node more has what it should have.

    Args:
        found: What `findings` gives.
        fleet: The nodes' reports.
    """
    if not fleet.reports:
        return Served()
    if not found:
        return Served([ConditionState(NODES_READY, status=True, reason=_ALL, message=_ALL_MESSAGE)])
    first = found[0]
    text = f"{joined([each.warning for each in found])}. {_FRESHNESS}"
    reason = first.need.reason if first.nowhere else SOME
    condition = ConditionState(NODES_READY, not first.nowhere, reason, text)
    return Served([condition], condition if first.fatal else None)


def kept(status: Object) -> Served:
    """What was told before, for the time in which nothing is known of the nodes yet.

    Args:
        status: Of the network, as it is.
    """
    conditions = {each.get("type"): each for each in status.get("conditions") or ()}
    told = conditions.get(NODES_READY)
    if told is None:
        return Served()
    condition = ConditionState(
        NODES_READY, told.get("status") == "True", str(told.get("reason")), str(told.get("message"))
    )
    ready = conditions.get(_READY) or {}
    blocks = not condition.status and ready.get("reason") == condition.reason
    return Served([condition], condition if blocks else None)


def shown_age(seconds: float) -> str:
    """An age for people: `40 s`, `7 min`, `3 h`."""
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds < 2 * _HOUR else f"{seconds / _HOUR:.0f} h"
