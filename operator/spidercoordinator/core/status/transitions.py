"""What a change of status is worth telling as a Kubernetes Event: transitions, not states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Transition:
    """One Event to be.

    Attributes:
        type: Normal, or Warning when somebody should look.
        reason: one CamelCase word.
        message: for people.
    """

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def transitions(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Transition]:
    """Compare two statuses of a SpiderCoordinator."""
    told = []
    old, new = _conditions(before), _conditions(after)
    if before.get("phase") != after.get("phase"):
        if after.get("phase") == "Synced":
            message = new.get("CIDRsDiscovered", {}).get("message", "")
            told.append(Transition("Normal", "Synced", message))
        else:
            told.append(Transition("Warning", "NotReady", after.get("reason") or ""))
    was, now = before.get("podCIDRType"), after.get("podCIDRType")
    if was and now and was != now:
        message = f"the pod CIDRs are now those of type {now}, before {was}"
        told.append(Transition("Normal", "PodCIDRTypeChanged", message))
    worse = new.get("Degraded", {})
    if _is_true(worse) and not _is_true(old.get("Degraded", {})):
        told.append(Transition("Warning", worse["reason"], worse["message"]))
    return told


def _conditions(status: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {condition["type"]: condition for condition in status.get("conditions") or ()}


def _is_true(condition: Mapping[str, Any]) -> bool:
    return bool(condition.get("status") == "True")
