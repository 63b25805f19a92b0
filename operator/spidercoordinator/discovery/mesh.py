"""Whether Istio is installed, detected by a kind that each of its modes brings."""

from __future__ import annotations

from typing import Final

from spidercoordinator.discovery.crds import watched_crd
from spidercoordinator.discovery.source import Observations

ISTIO: Final = watched_crd("Istio's CRDs", "sidecars.networking.istio.io")


def istio(observations: Observations) -> bool:
    """Whether Istio's kinds are installed; its CRDs may outlive it."""
    return bool(observations[ISTIO.title].entries)
