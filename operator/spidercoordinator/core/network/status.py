"""The status of a SpiderMultusConfig, from what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from spidercoordinator.core.status.conditions import Verdict, conditions
from spidercoordinator.core.status.transitions import Transition

READY: Final = "Ready"
INVALID: Final = "Invalid"
NAME_CONFLICT: Final = "NameConflict"
COORDINATOR_NOT_READY: Final = "CoordinatorNotReady"
NAD_CRD_MISSING: Final = "NADCRDMissing"
NAD_TERMINATING: Final = "NADTerminating"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a network.

    Attributes:
        nad: name of the NAD it has, empty for none.
        config_hash: hash of that NAD's configuration.
        obstacle: the condition that stands in its way, empty for none.
        message: for people.
        warnings: conditions that do not stand in its way.
    """

    nad: str = ""
    config_hash: str = ""
    obstacle: str = ""
    message: str = ""
    warnings: Sequence[Verdict] = ()


def network_status(outcome: Outcome, thing: Mapping[str, Any], *, now: str) -> dict[str, Any]:
    """The whole status to write.

    Ready is always there; what stands in its way, only while it does.
    """
    ready = not outcome.obstacle
    verdicts = [Verdict(READY, ready, outcome.obstacle or "InSync", outcome.message)]
    if outcome.obstacle:
        verdicts.append(
            Verdict(outcome.obstacle, holds=True, reason=outcome.obstacle, message=outcome.message)
        )
    verdicts.extend(outcome.warnings)
    generation = thing["metadata"].get("generation", 0)
    status: dict[str, Any] = {
        "observedGeneration": generation,
        "conditions": conditions(
            verdicts,
            previous=(thing.get("status") or {}).get("conditions") or (),
            generation=generation,
            now=now,
        ),
    }
    if outcome.nad:
        status |= {"nad": outcome.nad, "configHash": outcome.config_hash}
    return status


def told(before: Mapping[str, Any], after: Mapping[str, Any]) -> Transition | None:
    """The Event that a change of status is worth: an obstacle, or the end of one.

    A network that is in sync from the start is what everybody expects, and no Event.
    """
    old, new = _ready(before), _ready(after)
    if old.get("reason") == new["reason"]:
        return None
    if new["status"] == "False":
        return Transition("Warning", new["reason"], new["message"])
    return Transition("Normal", new["reason"], new["message"]) if old else None


def _ready(status: Mapping[str, Any]) -> Mapping[str, Any]:
    conditions = status.get("conditions") or ()
    return next((each for each in conditions if each.get("type") == READY), {})
