"""Whether Istio is installed, detected by a kind that each of its modes brings."""

from __future__ import annotations

from typing import Final

from spidercoordinator.discovery.crds import installed, watched_crd
from spidercoordinator.discovery.source import Observations

ISTIO: Final = watched_crd("Istio's CRDs", "sidecars.networking.istio.io")


def istio(observations: Observations) -> bool | None:
    """Whether Istio's kinds are installed; its CRDs may outlive it. None while nobody can tell."""
    return installed(observations, ISTIO)
