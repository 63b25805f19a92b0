"""Whether Spiderpool's IPAM is installed, detected by the kind that its addresses are of."""

from __future__ import annotations

from typing import Final

from spidercoordinator.core.network.ipam import SPIDERPOOL_KIND
from spidercoordinator.discovery.crds import installed, watched_crd
from spidercoordinator.discovery.source import Observations

SPIDERPOOL: Final = watched_crd("Spiderpool's CRDs", SPIDERPOOL_KIND)


def spiderpool_served(observations: Observations) -> bool | None:
    """Whether Spiderpool's kinds are served; None while that cannot be read."""
    return installed(observations, SPIDERPOOL)
