"""Writes that do not get through: what a status says of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.status.conditions import ConditionState
from spidercoordinator.core.status.transitions import Transition

WRITES_BLOCKED: Final = "WritesBlocked"
"""The condition of what does not keep the object from being ready; it is there only while it is."""

CONTESTED: Final = "Contested"
"""The reason when it is not the API server that is in the way, but others who undo the write."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One write that does not get through.

    Attributes:
        what: is written, in a word or two.
        reason: one CamelCase word.
        message: for people.
    """

    what: str
    reason: str
    message: str


def blocked_condition(problems: Iterable[Problem]) -> list[ConditionState]:
    """The condition that tells of all these problems; none for none."""
    found = sorted(problems, key=lambda problem: problem.what)
    if not found:
        return []
    message = ". ".join(f"{problem.what}: {problem.message}" for problem in found)
    return [ConditionState(WRITES_BLOCKED, status=True, reason=found[0].reason, message=message)]


def blocked_transition(before: Object, after: Object) -> Transition | None:
    """The transition between two statuses: writes that are blocked, or are not any more."""
    old, new = _blocked(before), _blocked(after)
    if old.get("reason") == new.get("reason"):
        return None
    if new:
        return Transition("Warning", f"{WRITES_BLOCKED}{new['reason']}", new["message"])
    return Transition("Normal", "WritesPassed", "what could not be written has been written")


def _blocked(status: Object) -> Object:
    conditions = status.get("conditions") or ()
    return next((each for each in conditions if each.get("type") == WRITES_BLOCKED), {})
