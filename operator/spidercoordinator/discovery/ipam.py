"""Whether Spiderpool's IPAM is installed, detected by the kind that its addresses are of."""

from __future__ import annotations

from typing import Final

from spidercoordinator.core.network.ipam import SPIDERPOOL_KIND
from spidercoordinator.discovery.crds import watched_crd
from spidercoordinator.discovery.source import Observations, ReadState

SPIDERPOOL: Final = watched_crd("Spiderpool's CRDs", SPIDERPOOL_KIND)


def spiderpool_served(observations: Observations) -> bool | None:
    """Whether Spiderpool's kinds are served; None while that cannot be read."""
    observed = observations[SPIDERPOOL.title]
    if observed.entries:
        return True
    return False if observed.state is ReadState.READ else None
