"""Istio that comes and goes, and what the status says of vethLinkAddress then."""

from __future__ import annotations

from typing import Final

import pytest

from spidercoordinator.kube.resource import Resource
from tests.apiserver import foreign
from tests.apiserver.harness import Cluster, condition, eventually

pytestmark = pytest.mark.usefixtures("operator")

SIDECARS: Final = Resource("networking.istio.io", "v1", "sidecars", "Sidecar")


async def judged(cluster: Cluster, reason: str) -> None:
    """Wait until the condition has this reason."""

    async def check() -> bool:
        return condition(await cluster.status(), "VethLinkAddress").get("reason") == reason

    await eventually(f"VethLinkAddress is {reason}", check)


async def test_istio_without_an_address_is_told(cluster: Cluster) -> None:
    await cluster.coordinator({"podCIDRType": "none"})
    await judged(cluster, "Unset")
    await foreign.install(cluster.api, SIDECARS)
    try:
        await judged(cluster, "IstioNeedsIt")
        degraded = condition(await cluster.status(), "Degraded")
        assert "169.254.100.1" in degraded["message"]
        await cluster.coordinator({"podCIDRType": "none", "vethLinkAddress": "169.254.100.1"})
        await judged(cluster, "Set")
    finally:
        await foreign.remove(cluster.api, SIDECARS)
    await cluster.coordinator({"podCIDRType": "none", "vethLinkAddress": ""})
    await judged(cluster, "Unset")
