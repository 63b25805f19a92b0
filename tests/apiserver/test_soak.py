"""Nothing that the operator holds grows with objects that are gone.

SPIDERCOORDINATOR_SOAK_OBJECTS sets how many come and go (300). `make bench` shows the memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from spidercoordinator.kube.resource import EVENTS
from testbed.apiserver import ApiServer
from tests.apiserver.harness import Cluster, eventually
from tests.apiserver.soak import NAMESPACE, CountedOperator, come_and_go, settled

MANY = int(os.environ.get("SPIDERCOORDINATOR_SOAK_OBJECTS", "300"))
FIRST = 200
"""Fill what is filled once: pools of connections, caches of a few hundred URLs."""
AT_ONCE = 1000
"""How many are there at the same time."""
LEAST = 40
"""What counts as growth: more than the pool of connections for the 32 reconciles at a time, and
less than what the rarest objects, one in five, would leave behind."""
ASYNCIO_CLEANS_UP = {"asyncio.events.TimerHandle", "_contextvars.Context"}
"""An event loop keeps up to a hundred timers that were cancelled, each with its context."""

pytestmark = pytest.mark.timeout(900 + MANY)


@pytest.fixture
def counted(server: ApiServer, tmp_path: Path) -> Iterator[CountedOperator]:
    running = CountedOperator(server.kubeconfig, tmp_path / "log")
    running.start()
    yield running
    running.stop()


async def test_nothing_grows_with_what_is_gone(cluster: Cluster, counted: CountedOperator) -> None:
    await settled(cluster)
    await come_and_go(cluster.api, counted, range(FIRST))
    before = await counted.holds()
    for first in range(FIRST, FIRST + MANY, AT_ONCE):
        last = min(first + AT_ONCE, FIRST + MANY)
        await come_and_go(cluster.api, counted, range(first, last))
        # Of all together the API server could not be rid in one request.
        await cluster.api.delete(EVENTS, "", NAMESPACE)
        gone, resident = last - FIRST, counted.resident()
        print(f"{gone} networks are gone, {resident} KiB resident")  # noqa: T201 - figures to read
    grown: dict[str, int] = {}

    async def flat() -> bool:
        grown.clear()
        grown.update((await counted.holds()).grown_since(before, least=LEAST))
        return not grown.keys() - ASYNCIO_CLEANS_UP

    try:
        await eventually("it holds as much as before", flat, seconds=120, every=1.0)
    except AssertionError:
        most = sorted(grown.items(), key=lambda item: -item[1])[:20]
        raise AssertionError(f"grown with {MANY} networks that are gone: {most}") from None
