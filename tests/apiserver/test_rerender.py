"""A change of the SpiderCoordinator over many networks: NADs first, then what status says."""

import asyncio
from functools import partial
from hashlib import sha256

from spidercoordinator.kube.resource import (
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERMULTUSCONFIGS,
)
from tests.apiserver.harness import Cluster, Operator, eventually

MANY = 120
"""More than the operator works on at the same time, so that some have to wait."""


async def test_status_tells_the_hash_of_what_was_rendered_last(
    cluster: Cluster, operator: Operator
) -> None:
    await cluster.coordinator({"podCIDRType": "none"})
    await asyncio.gather(*(cluster.network(f"net-{number}") for number in range(MANY)))

    async def in_step(table: int) -> bool:
        nads, _ = await cluster.api.list(NETWORK_ATTACHMENT_DEFINITIONS, "default")
        networks, _ = await cluster.api.list(SPIDERMULTUSCONFIGS, "default")
        texts = {nad["metadata"]["name"]: nad["spec"]["config"] for nad in nads}
        hashes = {
            name: sha256(text.encode()).hexdigest()[:16]
            for name, text in texts.items()
            if f'"hostRuleTable":{table},' in text
        }
        told = {
            thing["metadata"]["name"]: thing.get("status", {}).get("configHash")
            for thing in networks
        }
        return len(hashes) == MANY and told == hashes

    for table in (700, 701):
        spec = {"podCIDRType": "none", "hostRuleTable": table}
        await cluster.coordinator(spec)
        await eventually(f"all tell of table {table}", partial(in_step, table), seconds=60)

    async def quiet() -> bool:
        return operator.metric("spidercoordinator_workqueue_depth") == 0

    await eventually("nothing is left to do", quiet)
