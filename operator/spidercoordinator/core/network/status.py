"""The status of a SpiderMultusConfig, from the outcome of its reconciliation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.status.conditions import ConditionState, set_conditions
from spidercoordinator.core.status.transitions import Transition

READY: Final = "Ready"
IN_SYNC: Final = "InSync"
INVALID: Final = "Invalid"
NAME_CONFLICT: Final = "NameConflict"
COORDINATOR_NOT_READY: Final = "CoordinatorNotReady"
NO_IPAM: Final = "NoIPAM"
NAD_CRD_MISSING: Final = "NADCRDMissing"
NAD_TERMINATING: Final = "NADTerminating"
NAD_REFUSED: Final = "NADRefused"
NAD_CONTESTED: Final = "NADContested"
RECONCILE_FAILED: Final = "ReconcileFailed"


@dataclass(frozen=True, slots=True)
class NetworkOutcome:
    """The outcome of reconciling a network.

    Attributes:
        nad: name of the NAD it has, empty for none.
        config_hash: hash of that NAD's configuration.
        obstacle: type of the condition that keeps it from being ready, empty for none.
        message: for people.
        reason: why the obstacle is there, where it has several reasons; one CamelCase word.
        warnings: conditions that do not keep it from being ready.
        blocking: one of these that does all the same, as it is.
    """

    nad: str = ""
    config_hash: str = ""
    obstacle: str = ""
    message: str = ""
    reason: str = ""
    warnings: Sequence[ConditionState] = ()
    blocking: ConditionState | None = None


def network_status(outcome: NetworkOutcome, network: Object, *, now: str) -> Object:
    """The whole status to write.

    Ready is always there; the condition that stands in its way, only while it does.
    """
    reason, message = outcome.reason or outcome.obstacle, outcome.message
    if not reason and outcome.blocking is not None:
        reason, message = outcome.blocking.reason, outcome.blocking.message
    states = [ConditionState(READY, not reason, reason or IN_SYNC, message)]
    if outcome.obstacle:
        states.append(
            ConditionState(outcome.obstacle, status=True, reason=reason, message=outcome.message)
        )
    states.extend(outcome.warnings)
    generation = network["metadata"].get("generation", 0)
    status: Object = {
        "observedGeneration": generation,
        "conditions": set_conditions(
            states,
            previous=(network.get("status") or {}).get("conditions") or (),
            generation=generation,
            now=now,
        ),
    }
    if outcome.nad:
        status |= {"nad": outcome.nad, "configHash": outcome.config_hash}
    return status


def readiness(network: Object) -> tuple[str, str]:
    """Status and reason of a network's condition Ready; `Unknown` and no reason before it has one.

    Returns:
        The two, such as `("False", "NoIPAM")`.
    """
    found = _ready(network.get("status") or {})
    return found.get("status", "Unknown"), found.get("reason", "")


def network_transition(before: Object, after: Object) -> Transition | None:
    """The transition between two statuses: an obstacle, or the end of one.

    A network that is in sync from the start is what everybody expects, and no Event.
    """
    old, new = _ready(before), _ready(after)
    if old.get("reason") == new["reason"]:
        return None
    message = new["message"] + (f"; before: {old['reason']}" if old.get("reason") else "")
    if new["status"] == "False":
        return Transition("Warning", new["reason"], message)
    return Transition("Normal", new["reason"], message) if old else None


def _ready(status: Object) -> Object:
    conditions = status.get("conditions") or ()
    return next((each for each in conditions if each.get("type") == READY), {})
