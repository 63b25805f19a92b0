"""What is known to be installed by a kind that it brings.

As with sources of CIDRs, that the CRD is absent takes that it was read: unread it is unknown.
"""

from __future__ import annotations

from spidercoordinator.api.objects import Object
from spidercoordinator.discovery.source import Observations, ReadState, WatchedObjects
from spidercoordinator.kube.reflector import Selection
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


def _stays(obj: Object) -> bool | None:
    return None if obj["metadata"].get("deletionTimestamp") else True
