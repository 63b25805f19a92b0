"""Whether Istio is installed, detected by a kind that each of its modes brings."""

from __future__ import annotations

from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.discovery.source import Observations, WatchedObjects
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import CUSTOM_RESOURCE_DEFINITIONS

_KIND: Final = "sidecars.networking.istio.io"


def read_kind(obj: Object) -> bool | None:
    """Whether the kind is there to stay."""
    return None if obj["metadata"].get("deletionTimestamp") else True


ISTIO: Final = WatchedObjects(
    "Istio's CRDs",
    Selection((CUSTOM_RESOURCE_DEFINITIONS,), fields=f"metadata.name={_KIND}", metadata_only=True),
    read_kind,
)


def istio(observations: Observations) -> bool:
    """Whether Istio's kinds are installed; its CRDs may outlive it."""
    return bool(observations[ISTIO.title].entries)
