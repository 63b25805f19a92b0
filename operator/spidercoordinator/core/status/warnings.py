"""Warnings of an object: shown by kubectl when it is stored, and by the condition Degraded.

Both, because a webhook may be off, and because what an object is compared with changes later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from spidercoordinator.core.status.conditions import ConditionState

DEGRADED: Final = "Degraded"

_LONGEST: Final = 4096
"""Characters of a condition's message: enough for ten warnings, small in a list of networks."""


@dataclass(frozen=True, slots=True)
class FieldWarning:
    """What is accepted and may yet not work.

    Attributes:
        reason: one CamelCase word, for programs.
        field: path in the object, as the API knows it.
        message: what is wrong, which value, what to do.
    """

    reason: str
    field: str
    message: str

    @override
    def __str__(self) -> str:
        """Field and message as one line."""
        return f"{self.field}: {self.message}"


def degraded_condition(warnings: Sequence[FieldWarning]) -> list[ConditionState]:
    """The condition Degraded of an object with warnings, nothing without any.

    Its reason is that of the first warning; the message has as many of them as there is room for.
    """
    if not warnings:
        return []
    text = joined(warnings)
    return [ConditionState(DEGRADED, status=True, reason=warnings[0].reason, message=text)]


def joined(warnings: Sequence[FieldWarning]) -> str:
    """As many of the warnings as there is room for in the message of a condition."""
    text = str(warnings[0])[:_LONGEST]
    for number, each in enumerate(warnings[1:], start=1):
        further = f"{text}. {each}"
        if len(further) > _LONGEST:
            return f"{text}. And {len(warnings) - number} more"
        text = further
    return text
