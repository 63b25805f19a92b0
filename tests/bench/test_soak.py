"""Memory while networks come and go; `tests/apiserver/test_soak.py` counts what is held.

SPIDERCOORDINATOR_BENCH_SOAK sets how many come and go (5,000).
"""

from __future__ import annotations

import os

import pytest

from spidercoordinator.kube.client import Client
from tests.apiserver.harness import Cluster, Operator
from tests.apiserver.soak import come_and_go, settled
from tests.bench.verdict import verdict

SOAK = int(os.environ.get("SPIDERCOORDINATOR_BENCH_SOAK", "5000"))
ROUNDS = 10

pytestmark = pytest.mark.timeout(7200)


async def test_memory_stays_flat(api: Client, operator: Operator) -> None:
    await Cluster(api).clean()
    await settled(Cluster(api))
    each = max(1, SOAK // ROUNDS)
    sizes = []
    for round_ in range(ROUNDS + 1):
        await come_and_go(api, operator, range(round_ * each, (round_ + 1) * each))
        sizes.append(operator.resident() / 1024)
    listed = ", ".join(f"{size:.0f}" for size in sizes)
    print(  # noqa: T201 - figures are what a benchmark is for
        f"\nresident memory in MB each time {each} networks have come and gone: {listed}; the "
        f"last to the second, as a ratio: {verdict(sizes[-1] / sizes[1], 1.05)}",
        flush=True,
    )
