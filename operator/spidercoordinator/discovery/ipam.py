"""Whether Spiderpool's IPAM is installed, detected by the kind that its addresses are of."""

from __future__ import annotations

from typing import Final

from spidercoordinator.core.network.ipam import SPIDERPOOL_KIND
from spidercoordinator.discovery.mesh import read_kind
from spidercoordinator.discovery.source import Observations, ReadState, WatchedObjects
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import CUSTOM_RESOURCE_DEFINITIONS

SPIDERPOOL: Final = WatchedObjects(
    "Spiderpool's CRDs",
    Selection(
        (CUSTOM_RESOURCE_DEFINITIONS,),
        fields=f"metadata.name={SPIDERPOOL_KIND}",
        metadata_only=True,
    ),
    read_kind,
)


def spiderpool_served(observations: Observations) -> bool | None:
    """Whether Spiderpool's kinds are served; None while that cannot be read."""
    observed = observations[SPIDERPOOL.title]
    if observed.entries:
        return True
    return False if observed.state is ReadState.READ else None
