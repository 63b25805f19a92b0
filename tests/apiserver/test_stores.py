"""What is deleted or edited right after the operator wrote it is noticed, each time."""

from __future__ import annotations

import json
from typing import Any

from spidercoordinator.core.status.contention import BURST
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import (
    CONFIG_MAPS,
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
    Object,
)
from tests.apiserver.harness import Cluster, Operator, condition, eventually

NODE_DEFAULTS = "spidercoordinator-node-defaults"
ROUNDS = 20


async def node_defaults(api: Client) -> dict[str, Any]:
    found = await api.find(CONFIG_MAPS, NODE_DEFAULTS, "default")
    text = ((found or {}).get("data") or {}).get("coordinator.json")
    section: dict[str, Any] = json.loads(text) if text else {}
    return section


async def ready_reason(api: Client, name: str) -> str:
    found = await api.find(SPIDERMULTUSCONFIGS, name, "default")
    return str(condition((found or {}).get("status") or {}, "Ready").get("reason", ""))


async def test_node_defaults_that_are_deleted_or_edited_are_restored(
    cluster: Cluster, operator: Operator
) -> None:
    await cluster.coordinator({"podCIDRType": "none", "hostRuleTable": 700})

    async def in_sync() -> bool:
        return (await node_defaults(cluster.api)).get("hostRuleTable") == 700

    await eventually("the defaults are written", in_sync)
    # More of the same is a dispute, which is put back once a minute.
    for _ in range(BURST - 1):
        await cluster.api.delete(CONFIG_MAPS, NODE_DEFAULTS, "default")
        await eventually("the defaults are there again", in_sync)
    patch = {"data": {"coordinator.json": "{}"}}
    await cluster.api.patch(CONFIG_MAPS, NODE_DEFAULTS, "default", patch=patch)
    await eventually("the defaults are as before", in_sync)
    assert operator.repairs() == 0


async def test_a_spidercoordinator_that_is_deleted_while_its_status_is_written(
    cluster: Cluster, operator: Operator
) -> None:
    await cluster.network("net")
    for round_ in range(ROUNDS):
        await cluster.coordinator({"podCIDRType": "none", "hostRuleTable": 700 + round_})

        async def rendered(table: int = 700 + round_) -> bool:
            return (await cluster.section("net")).get("hostRuleTable") == table

        # The NAD is written a moment before the status: the deletion meets that write.
        await eventually("the network is rendered", rendered, every=0.001)
        await cluster.api.delete(SPIDERCOORDINATORS, "default")

        async def missing() -> bool:
            return await ready_reason(cluster.api, "net") == "CoordinatorNotReady"

        await eventually("the network says what it misses", missing)

        async def gone() -> bool:
            return await cluster.api.find(SPIDERCOORDINATORS, "default") is None

        await eventually("the SpiderCoordinator is gone", gone)
    assert operator.repairs() == 0


async def test_a_network_that_is_deleted_while_its_status_is_written(
    cluster: Cluster, operator: Operator
) -> None:
    await cluster.coordinator({"podCIDRType": "none"})
    for _ in range(ROUNDS):
        await cluster.network("net")

        async def made() -> bool:
            return bool(await cluster.section("net"))

        await eventually("the NAD is there", made, every=0.001)
        await cluster.api.delete(SPIDERMULTUSCONFIGS, "net", "default")
        await cluster.api.delete(NETWORK_ATTACHMENT_DEFINITIONS, "net", "default")

        async def forgotten() -> bool:
            return operator.metric("spidercoordinator_networks") == 0

        await eventually("the operator knows of no network", forgotten)

    async def uncounted() -> bool:
        return bool((await cluster.status()).get("networks", {}).get("total") == 0)

    await eventually("none is counted", uncounted)
    assert operator.repairs() == 0


async def test_a_status_that_is_edited_by_hand_is_restored(
    cluster: Cluster, operator: Operator
) -> None:
    assert operator.running()
    await cluster.coordinator({"podCIDRType": "none"})
    # The same again and again is a dispute, which is put back once a minute.
    for number in range(ROUNDS // (BURST - 1)):
        name = f"net-{number}"
        await cluster.network(name)

        async def in_sync(name: str = name) -> bool:
            return await ready_reason(cluster.api, name) == "InSync"

        await eventually("the network is in sync", in_sync)
        for _ in range(BURST - 1):
            patch: Object = {"status": {"conditions": []}}
            await cluster.api.patch(
                SPIDERMULTUSCONFIGS, name, "default", patch=patch, subresource="status"
            )
            await eventually("the status is as before", in_sync)
