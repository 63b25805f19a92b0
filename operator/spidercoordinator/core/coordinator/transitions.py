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
            transitions.append(Transition("Normal", SYNCED, message))
        else:
            transitions.append(Transition("Warning", "NotReady", after.get("reason") or ""))
    old_type, new_type = before.get("podCIDRType"), after.get("podCIDRType")
    if old_type and new_type and old_type != new_type:
        message = f"the pod CIDRs are now those of type {new_type}, before {old_type}"
        transitions.append(Transition("Normal", "PodCIDRTypeChanged", message))
    degraded = new.get("Degraded", {})
    if _is_true(degraded) and not _is_true(old.get("Degraded", {})):
        transitions.append(Transition("Warning", degraded["reason"], degraded["message"]))
    return transitions


def _conditions(status: Object) -> dict[str, Object]:
    return {condition["type"]: condition for condition in status.get("conditions") or ()}


def _is_true(condition: Object) -> bool:
    return bool(condition.get("status") == "True")
