"""What is known to be installed by a kind that it brings."""

from __future__ import annotations

from spidercoordinator.api.objects import Object
from spidercoordinator.discovery.source import WatchedObjects
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


def _stays(obj: Object) -> bool | None:
    return None if obj["metadata"].get("deletionTimestamp") else True
