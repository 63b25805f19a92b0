"""What to say of a NAD that was written or given up: its Event, and the line in the log."""

from __future__ import annotations

from spidercoordinator.api.objects import Object
from spidercoordinator.core.network.drift import lost_edits
from spidercoordinator.core.network.maker import signature_of
from spidercoordinator.core.network.ownership import Apply
from spidercoordinator.core.status.transitions import Transition

CREATED = "NADCreated"
ADOPTED = "NADAdopted"
HEALED = "NADHealed"
RELEASED = "NADReleased"
DELETED = "NADDeleted"


def applied(
    network: Object, decision: Apply, before: Object | None, *, again: bool = False
) -> Transition | None:
    """What to say of a NAD that was applied; None where it only follows its network.

    Args:
        network: The network.
        decision: What was applied.
        before: The NAD as it was, None if there was none.
        again: Whether the network has had it before.
    """
    name = decision.body["metadata"]["name"]
    text = _describe(network["metadata"]["namespace"], name)
    if before is None:
        if again:
            return Transition("Warning", HEALED, f"{text} was deleted by others, and is made again")
        return Transition("Normal", CREATED, f"{text} was created")
    if decision.adopts:
        return Transition("Normal", ADOPTED, f"{text} was adopted, as its annotation allows")
    if decision.reverts:
        return _healed(network, text, lost_edits(decision.body, before))
    if signature_of(before) != signature_of(decision.body):
        return Transition("Normal", ADOPTED, f"{text} was taken over from a network of this name")
    return None


def _healed(network: Object, nad: str, lost: str) -> Transition:
    meta = network["metadata"]
    advice = f"change SpiderMultusConfig {meta['namespace']}/{meta['name']} instead"
    return Transition("Warning", HEALED, f"{nad} was edited and put back; lost: {lost}; {advice}")


def released(namespace: str, name: str, why: str) -> Transition:
    """What to say of an adopted NAD that was given back, and why."""
    text = f"{_describe(namespace, name)} was released, and is as before its adoption: {why}"
    return Transition("Normal", RELEASED, text)


def deleted(namespace: str, name: str, now: str) -> Transition:
    """What to say of a NAD that was deleted since its network is now under another name."""
    text = (
        f"{_describe(namespace, name)} was deleted: its network now has {_describe(namespace, now)}"
    )
    return Transition("Normal", DELETED, text)


def _describe(namespace: str, name: str) -> str:
    return f"NetworkAttachmentDefinition {namespace}/{name}"
