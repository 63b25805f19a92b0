"""What the operator wrote on users' objects comes back while it runs, once somebody removed it."""

from __future__ import annotations

from spidercoordinator.api.coordinator import FINALIZER
from spidercoordinator.api.nad import NETWORK_INJECT
from spidercoordinator.kube.resource import SPIDERCOORDINATORS
from tests.apiserver.harness import Cluster, Operator, eventually
from tests.apiserver.networks import Networks

SRIOV = {
    "cniType": "sriov",
    "sriov": {"resourceName": "acme.io/vf", "ippools": {"ipv4": ["p4"]}},
}


async def test_the_finalizer(cluster: Cluster, operator: Operator) -> None:
    await cluster.coordinator({"podCIDRType": "none"})

    async def held() -> bool:
        found = await cluster.api.get(SPIDERCOORDINATORS, "default")
        return FINALIZER in (found["metadata"].get("finalizers") or ())

    await eventually("the finalizer is set", held)
    for finalizers in (None, ["example.org/theirs"]):
        patch = {"metadata": {"finalizers": finalizers}}
        await cluster.api.patch(SPIDERCOORDINATORS, "default", patch=patch)
        await eventually("the finalizer is back", held, seconds=20)
    assert operator.repairs() == 0


async def test_labels(cluster: Cluster, operator: Operator) -> None:
    await cluster.coordinator({"podCIDRType": "none"})
    networks = Networks(cluster.api)
    await networks.make("injected", SRIOV, {NETWORK_INJECT: "rack-1"})

    async def labelled() -> bool:
        labels = (await networks.get("injected"))["metadata"].get("labels") or {}
        return labels.get(NETWORK_INJECT) == "rack-1"

    await eventually("the label is there", labelled)
    for value in (None, "other"):
        await networks.change("injected", {"metadata": {"labels": {NETWORK_INJECT: value}}})
        await eventually("the label is back", labelled, seconds=20)
    assert operator.repairs() == 0
