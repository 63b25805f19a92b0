"""Conditions: made from verdicts, moved in time only when their status changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_LONGEST_MESSAGE: Final = 32768
"""The limit Kubernetes sets for a condition's message."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One condition without its time.

    Attributes:
        type: what it is about.
        holds: whether it is the case.
        reason: one CamelCase word, for programs.
        message: for people.
    """

    type: str
    holds: bool
    reason: str
    message: str = ""


def conditions(
    verdicts: Sequence[Verdict],
    *,
    previous: Iterable[Mapping[str, Any]],
    generation: int,
    now: str,
) -> list[dict[str, Any]]:
    """The conditions to write; `lastTransitionTime` stays where the status stays.

    Args:
        verdicts: in the order they shall be shown.
        previous: the conditions as they are now.
        generation: metadata.generation they are computed from.
        now: the time in RFC 3339.
    """
    before = {condition.get("type"): condition for condition in previous}
    made = []
    for verdict in verdicts:
        status = "True" if verdict.holds else "False"
        old = before.get(verdict.type) or {}
        same = old.get("status") == status and old.get("lastTransitionTime")
        made.append(
            {
                "type": verdict.type,
                "status": status,
                "reason": verdict.reason,
                "message": verdict.message[:_LONGEST_MESSAGE],
                "observedGeneration": generation,
                "lastTransitionTime": old["lastTransitionTime"] if same else now,
            }
        )
    return made
