"""NADs that are deleted right after the operator wrote them come back, each of them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import pytest

from spidercoordinator.errors import ApiNotFoundError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import NETWORK_ATTACHMENT_DEFINITIONS, SPIDERMULTUSCONFIGS
from tests.apiserver.harness import Cluster, Operator, eventually

NETWORKS = 1000
DELETIONS_EACH = 3
AT_ONCE = 50


@pytest.fixture
def busy_machine() -> Iterator[None]:
    """Two processes that keep as many cores busy."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    yield
    for each in loops:
        each.kill()
        each.wait()


async def nad_version(api: Client, name: str) -> str:
    found = await api.find(NETWORK_ATTACHMENT_DEFINITIONS, name, "default")
    return str(found["metadata"]["resourceVersion"]) if found else ""


async def make_and_delete(api: Client, name: str) -> None:
    """Make a network, and delete its NAD as soon as a GET shows it, several times over."""
    meta = {"name": name, "namespace": "default"}
    spec = {"cniType": "macvlan", "macvlan": {"master": ["eth0"]}}
    await api.create(SPIDERMULTUSCONFIGS, {"metadata": meta, "spec": spec}, "default")
    for _ in range(DELETIONS_EACH):
        await eventually(
            f"NAD {name} is there", lambda: nad_version(api, name), seconds=120, every=0.001
        )
        await api.delete(NETWORK_ATTACHMENT_DEFINITIONS, name, "default")


async def test_none_of_many_deletions_is_lost_on_a_busy_machine(
    cluster: Cluster, operator: Operator, busy_machine: None
) -> None:
    del busy_machine
    await cluster.coordinator({"podCIDRType": "none"})
    names = [f"deleted-{number:04}" for number in range(NETWORKS)]
    places = asyncio.Semaphore(AT_ONCE)

    async def one(name: str) -> None:
        async with places:
            await make_and_delete(cluster.api, name)

    await asyncio.gather(*map(one, names))

    async def missing() -> set[str]:
        nads, _ = await cluster.api.list(
            NETWORK_ATTACHMENT_DEFINITIONS, "default", metadata_only=True
        )
        return set(names) - {each["metadata"]["name"] for each in nads}

    async def all_there() -> bool:
        return not await missing()

    try:
        await eventually("every NAD is there again", all_there, seconds=180, every=0.5)
    except AssertionError:
        lost = sorted(await missing())
        raise AssertionError(f"{len(lost)} NADs stayed away: {lost[:10]}") from None
    assert operator.repairs() == 0

    async def clean(name: str) -> None:
        async with places:
            await remove(cluster.api, name)

    await asyncio.gather(*map(clean, names))


async def remove(api: Client, name: str) -> None:
    try:
        await api.delete(SPIDERMULTUSCONFIGS, name, "default")
        await api.delete(NETWORK_ATTACHMENT_DEFINITIONS, name, "default")
    except ApiNotFoundError:
        return
