"""Conditions: their transition time moves only when their status changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object

_LONGEST_MESSAGE: Final = 32768
"""The limit Kubernetes sets for a condition's message."""


@dataclass(frozen=True, slots=True)
class ConditionState:
    """One condition without its times.

    Attributes:
        type: what it is about.
        status: whether it is the case.
        reason: one CamelCase word, for programs.
        message: for people.
    """

    type: str
    status: bool
    reason: str
    message: str = ""


def set_conditions(
    states: Sequence[ConditionState], *, previous: Iterable[Object], generation: int, now: str
) -> list[Object]:
    """The conditions to write; `lastTransitionTime` stays where the status stays.

    Args:
        states: in the order they are shown.
        previous: the conditions as they are now.
        generation: metadata.generation they are computed from.
        now: the time in RFC 3339.
    """
    before = {condition.get("type"): condition for condition in previous}
    conditions: list[Object] = []
    for state in states:
        status = "True" if state.status else "False"
        old = before.get(state.type) or {}
        same = old.get("status") == status and old.get("lastTransitionTime")
        conditions.append(
            {
                "type": state.type,
                "status": status,
                "reason": state.reason,
                "message": state.message[:_LONGEST_MESSAGE],
                "observedGeneration": generation,
                "lastTransitionTime": old["lastTransitionTime"] if same else now,
            }
        )
    return conditions
