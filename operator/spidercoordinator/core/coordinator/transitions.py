"""The transitions between two statuses of a SpiderCoordinator."""

from __future__ import annotations

from spidercoordinator.api.objects import Object
from spidercoordinator.core.coordinator.status import SYNCED
from spidercoordinator.core.status.transitions import Transition


def coordinator_transitions(before: Object, after: Object) -> list[Transition]:
    """Compare the status as it was with the status as it is now."""
    transitions = []
    old, new = _conditions(before), _conditions(after)
    if before.get("phase") != after.get("phase"):
        if after.get("phase") == SYNCED:
            message = new.get("CIDRsDiscovered", {}).get("message", "")
            transitions.append(Transition("Normal", SYNCED, message + _before_phase(before)))
        else:
            message = (after.get("reason") or "") + _before_phase(before)
            transitions.append(Transition("Warning", "NotReady", message))
    transitions += _type_change(before, after)
    for field in ("overlayPodCIDR", "serviceCIDR"):
        transitions += _list_change(before, after, field)
    degraded, previous = new.get("Degraded", {}), old.get("Degraded", {})
    if _is_true(degraded) and not (
        _is_true(previous) and previous.get("reason") == degraded["reason"]
    ):
        transitions.append(Transition("Warning", degraded["reason"], degraded["message"]))
    return transitions


def _before_phase(status: Object) -> str:
    phase, reason = status.get("phase"), status.get("reason")
    if not phase:
        return ""
    return f"; before: {phase}" + (f", {reason}" if reason else "")


def _type_change(before: Object, after: Object) -> list[Transition]:
    old, new = before.get("podCIDRType"), after.get("podCIDRType")
    if not before or old == new:
        return []
    message = f"podCIDRType is now {new or 'unknown'}, before {old or 'unknown'}"
    return [Transition("Normal", "PodCIDRTypeChanged", message)]


def _list_change(before: Object, after: Object, field: str) -> list[Transition]:
    if not before or (before.get(field) or []) == (after.get(field) or []):
        return []
    message = f"{field} is now {_described(after, field)}, before {_described(before, field)}"
    return [Transition("Normal", "CIDRsChanged", message)]


def _described(status: Object, field: str) -> str:
    source = (status.get("sources") or {}).get(field) or "unknown"
    return f"{', '.join(status.get(field) or ()) or 'empty'} ({source})"


def _conditions(status: Object) -> dict[str, Object]:
    return {condition["type"]: condition for condition in status.get("conditions") or ()}


def _is_true(condition: Object) -> bool:
    return bool(condition.get("status") == "True")
