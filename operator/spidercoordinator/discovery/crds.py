"""CRDs: what is installed by the kind that it brings, and which kind has another schema.

As with sources of CIDRs, that the CRD is absent takes that it was read: unread it is unknown.
"""

from __future__ import annotations

from spidercoordinator.api.objects import Object
from spidercoordinator.discovery.source import Observations, ReadState, WatchedObjects
from spidercoordinator.kube.reflector import Deleted, Replaced, Selection, Updated, WatchEvent
from spidercoordinator.kube.resource import CUSTOM_RESOURCE_DEFINITIONS


def watched_crd(title: str, name: str) -> WatchedObjects:
    """One CRD; an entry tells that it is there to stay.

    Args:
        title: How messages and observations name it.
        name: Of the CRD.
    """
    selection = Selection(
        (CUSTOM_RESOURCE_DEFINITIONS,), fields=f"metadata.name={name}", metadata_only=True
    )
    return WatchedObjects(title, selection, _stays)


def installed(observations: Observations, watched: WatchedObjects) -> bool | None:
    """Whether the CRD is there, if only as last known; None while nobody can tell.

    Args:
        observations: What is observed now.
        watched: What `watched_crd` made.
    """
    observed = observations[watched.title]
    if observed.entries:
        return True
    return False if observed.state in {ReadState.READ, ReadState.NOT_SERVED} else None


def undetermined(observations: Observations, watched: WatchedObjects, product: str) -> str:
    """Why it cannot be told whether a product is installed, for people; empty when it can."""
    if installed(observations, watched) is not None:
        return ""
    unread = observations[watched.title].unread(watched)
    return f"whether {product} is installed cannot be told: {unread}"


def regenerated(generations: dict[str, int], event: WatchEvent) -> list[str]:
    """Names of the CRDs that have another spec than before; `generations` is brought up to date.

    Args:
        generations: `metadata.generation` of every known CRD by name.
        event: what the watch of CRDs delivered.
    """
    if isinstance(event, Deleted):
        generations.pop(event.object["metadata"]["name"], None)
        return []
    given = event.objects if isinstance(event, Replaced) else []
    if isinstance(event, Updated):
        given = [event.object]
    metadata = [each["metadata"] for each in given]
    now = {each["name"]: int(each.get("generation") or 0) for each in metadata}
    changed = [name for name, value in now.items() if generations.get(name, value) != value]
    if isinstance(event, Replaced):
        generations.clear()
    generations.update(now)
    return changed


def _stays(obj: Object) -> bool | None:
    return None if obj["metadata"].get("deletionTimestamp") else True
