"""The yardstick for memory: a process that lists and watches what the operator does, and no more.

`python -m tests.bench.bare_watcher KUBECONFIG SELECTOR` says on standard output how many seconds
it took until everything was listed, then watches until it is ended.
"""

from __future__ import annotations

import asyncio
import sys
import time

from spidercoordinator.kube.client import Client
from spidercoordinator.kube.login import Login
from spidercoordinator.kube.resource import (
    CALICO_BLOCKS,
    CILIUM_NODES,
    NETWORK_ATTACHMENT_DEFINITIONS,
    NODES,
    PODS,
    SPIDERMULTUSCONFIGS,
    Resource,
)

KINDS = (
    SPIDERMULTUSCONFIGS,
    NETWORK_ATTACHMENT_DEFINITIONS,
    NODES,
    CALICO_BLOCKS,
    CILIUM_NODES,
    PODS,
)


async def listed(api: Client, kind: Resource, labels: str) -> str:
    """List a kind and forget it; gives the version to watch from."""
    _, version = await api.list(kind, labels=labels, keep=lambda _: {})
    return version


async def watch(api: Client, kind: Resource, labels: str, version: str) -> None:
    query = {"resourceVersion": version, "labelSelector": labels, "timeoutSeconds": "3600"}
    async with api.stream(kind, query=query, idle=3600) as events:
        async for _ in events:
            pass


async def main(kubeconfig: str, selector: str) -> None:
    labels = {kind: selector if kind == PODS else "" for kind in KINDS}
    async with Client(await Login.find({"KUBECONFIG": kubeconfig})) as api:
        began = time.perf_counter()
        versions = await asyncio.gather(*(listed(api, kind, labels[kind]) for kind in KINDS))
        sys.stdout.write(f"{time.perf_counter() - began:.3f}\n")
        sys.stdout.flush()
        await asyncio.gather(
            *(
                watch(api, kind, labels[kind], version)
                for kind, version in zip(KINDS, versions, strict=True)
            )
        )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
