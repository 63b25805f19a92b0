"""A CRD's schema changes while the operator runs, as at every upgrade of a chart.

The API server prunes and defaults by the schema with which a watch was opened. It ends such watches
a second and more after the change, and what it delivers until then lacks what is new.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from copy import deepcopy

import pytest

from spidercoordinator.api.objects import Object
from spidercoordinator.errors import ApiUnavailableError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import (
    CALICO_POOLS_V1,
    CUSTOM_RESOURCE_DEFINITIONS,
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
    Resource,
)
from tests.apiserver import foreign
from tests.apiserver.harness import Cluster, eventually

pytestmark = pytest.mark.usefixtures("operator")

SEES_IT_WITHIN = 30.0
RANGE = "10.9.0.0/16"
SETTINGS = ("spec", "coordinator")

FindCrd = Callable[[Resource], Awaitable["Crd"]]


class Crd:
    """The CRD of one kind, whose schema a test changes.

    Attributes:
        schema: as it is without a change.
    """

    def __init__(self, api: Client, kind: Resource, schema: Object) -> None:
        self.api, self.kind, self.schema = api, kind, schema

    async def use(self, schema: Object) -> None:
        """Give the API server another schema; it takes it in a moment later."""
        name = self.kind.full_name
        versions = (await self.api.get(CUSTOM_RESOURCE_DEFINITIONS, name))["spec"]["versions"]
        versions[0]["schema"]["openAPIV3Schema"] = schema
        patch = {"spec": {"versions": versions}}
        await self.api.patch(CUSTOM_RESOURCE_DEFINITIONS, name, patch=patch)

    async def make(self, name: str, spec: Object) -> None:
        """Create an object; an API server that just ends old watches may answer 503."""
        body = {"metadata": {"name": name}, "spec": spec}

        async def made() -> bool:
            with suppress(ApiUnavailableError):
                await self.api.create(self.kind, body)
                return True
            return False

        await eventually("it is made", made)

    async def write(self, name: str, namespace: str, spec: Object) -> None:
        """Patch an object until the API server does not prune it, no moment longer."""

        async def stored() -> bool:
            answer = await self.api.patch(self.kind, name, namespace, patch={"spec": spec})
            return _contains(answer["spec"], spec)

        await eventually("what is new is stored", stored, every=0.0)


def _contains(given: Object, wanted: Object) -> bool:
    return all(
        _contains(given.get(key) or {}, value)
        if isinstance(value, dict)
        else given.get(key) == value
        for key, value in wanted.items()
    )


def field(schema: Object, *path: str) -> Object:
    """The schema of a field."""
    for name in path:
        schema = schema["properties"][name]
    return schema


@pytest.fixture
async def crd(api: Client) -> AsyncIterator[FindCrd]:
    """Find a kind's CRD; it is as before afterwards."""
    used: list[Crd] = []

    async def find(kind: Resource) -> Crd:
        found = await api.get(CUSTOM_RESOURCE_DEFINITIONS, kind.full_name)
        schema = found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        used.append(Crd(api, kind, schema))
        return used[-1]

    yield find
    for each in used:
        await each.use(each.schema)


async def announce(cluster: Cluster, *, wanted: bool) -> None:
    async def rendered() -> bool:
        return bool((await cluster.section("lan")).get("announce") is wanted)

    await eventually(f"the NAD has announce {wanted}", rendered, seconds=SEES_IT_WITHIN)


async def test_a_field_of_networks_that_is_new(cluster: Cluster, crd: FindCrd) -> None:
    networks = await crd(SPIDERMULTUSCONFIGS)
    older = deepcopy(networks.schema)
    del field(older, *SETTINGS)["properties"]["announce"]
    await networks.use(older)
    await cluster.coordinator_in_effect({"podCIDRType": "none"})
    await cluster.network("lan")
    await announce(cluster, wanted=True)
    await networks.use(networks.schema)
    await networks.write("lan", "default", {"coordinator": {"announce": False}})
    await announce(cluster, wanted=False)


async def test_a_default_that_is_new_shows_without_any_write(
    cluster: Cluster, crd: FindCrd
) -> None:
    networks = await crd(SPIDERMULTUSCONFIGS)
    await cluster.coordinator_in_effect({"podCIDRType": "none"})
    await cluster.network("lan", {"coordinator": {}})
    await announce(cluster, wanted=True)
    newer = deepcopy(networks.schema)
    field(newer, *SETTINGS, "announce")["default"] = False
    await networks.use(newer)
    await announce(cluster, wanted=False)


async def test_a_field_of_the_spidercoordinator_that_is_new(cluster: Cluster, crd: FindCrd) -> None:
    coordinators = await crd(SPIDERCOORDINATORS)
    older = deepcopy(coordinators.schema)
    del field(older, "spec")["properties"]["hijackCIDR"]
    await coordinators.use(older)
    await cluster.coordinator_in_effect({"podCIDRType": "none"})
    await cluster.network("lan")
    await coordinators.use(coordinators.schema)
    await coordinators.write("default", "", {"hijackCIDR": [RANGE]})

    async def rendered() -> bool:
        return RANGE in (await cluster.section("lan")).get("hijackCIDR", ())

    await eventually("the NAD has the range", rendered, seconds=SEES_IT_WITHIN)


@pytest.fixture
async def calico(api: Client) -> AsyncIterator[None]:
    await foreign.install(api, *foreign.CALICO)
    yield
    await foreign.remove(api, *foreign.CALICO)


@pytest.mark.usefixtures("calico")
async def test_a_field_of_a_foreign_kind_that_is_new(cluster: Cluster, crd: FindCrd) -> None:
    pools = await crd(CALICO_POOLS_V1)
    of_spec = {"type": "object", "properties": {"cidr": {"type": "string"}}}
    older: Object = {"type": "object", "properties": {"spec": of_spec}}
    await pools.use(older)
    newer = deepcopy(older)
    field(newer, "spec")["properties"]["disabled"] = {"type": "boolean"}
    await pools.make("a", {"cidr": "10.10.0.0/16"})
    await pools.make("b", {"cidr": "10.20.0.0/16"})
    await cluster.coordinator({"podCIDRType": "calico"})
    await pod_cidrs(cluster, ["10.10.0.0/16", "10.20.0.0/16"])
    await pools.use(newer)
    await pools.write("b", "", {"disabled": True})
    await pod_cidrs(cluster, ["10.10.0.0/16"])


async def pod_cidrs(cluster: Cluster, wanted: list[str]) -> None:
    async def reported() -> bool:
        return bool((await cluster.status()).get("overlayPodCIDR") == wanted)

    await eventually(f"the ranges of pods are {wanted}", reported, seconds=SEES_IT_WITHIN)
