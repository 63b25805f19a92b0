"""A transition of a status, which becomes a Kubernetes Event; a state that stays does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Transition:
    """What an Event says.

    Attributes:
        type: Normal, or Warning when somebody should look.
        reason: one CamelCase word.
        message: for people.
    """

    type: Literal["Normal", "Warning"]
    reason: str
    message: str
