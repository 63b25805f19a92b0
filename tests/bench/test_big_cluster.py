"""The operator on a large cluster, beside a process that only watches the same objects.

SPIDERCOORDINATOR_BENCH_CLUSTER scales the cluster (1 is 5,000 nodes with heartbeats, 7,000 IPAM
blocks of Calico, 7,000 CiliumNodes, 20,000 pods and 5,000 networks, which takes minutes to make).
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spidercoordinator.kube.client import Client
from spidercoordinator.kube.login import Login
from spidercoordinator.kube.resource import (
    CALICO_BLOCKS,
    CALICO_POOLS_V1,
    CILIUM_NODES,
    SPIDERMULTUSCONFIGS,
    VALIDATING_WEBHOOK_CONFIGURATIONS,
)
from testbed.apiserver import ApiServer, free_port
from tests.apiserver import foreign
from tests.apiserver.conftest import serving_our_kinds
from tests.apiserver.harness import Cluster, Operator, eventually
from tests.bench import population, simulated
from tests.bench.simulated import Size
from tests.bench.verdict import verdict

SIZE = Size.scaled(float(os.environ.get("SPIDERCOORDINATOR_BENCH_CLUSTER", "1")))
CALM = 30.0
"""Seconds over which CPU is measured while nothing but heartbeats happens."""
MEGABYTE = 1024
_STARTED = "started for SpiderCoordinator"
"""How the log begins anew at each start."""
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.timeout(7200)


def told(text: str) -> None:
    """Show a figure at once (`make bench` runs pytest with -s), also when the output is a pipe."""
    print(f"\n{text}", flush=True)  # noqa: T201 - figures are what a benchmark is for


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    with serving_our_kinds() as running:
        yield running


@pytest.fixture
async def api(server: ApiServer) -> AsyncIterator[Client]:
    async with Client(await Login.find({"KUBECONFIG": str(server.kubeconfig)})) as client:
        yield client


@pytest.fixture
def process(server: ApiServer, tmp_path: Path) -> Iterator[Operator]:
    """An operator with everything on, the pods of the installer watched."""
    environ = {
        "SPIDERCOORDINATOR_WEBHOOK_CONFIGURATION": "spidercoordinator",
        "SPIDERCOORDINATOR_WEBHOOK_PORT": str(free_port()),
        "SPIDERCOORDINATOR_INSTALLER_PODS": simulated.INSTALLER,
    }
    made = Operator(server.kubeconfig, tmp_path / "log", environ)
    yield made
    made.stop()


@contextmanager
def bare_watcher(server: ApiServer) -> Iterator[tuple[int, float]]:
    """Run the yardstick; gives its process id and the seconds of its lists."""
    command = [sys.executable, "-m", "tests.bench.bare_watcher"]
    command += [str(server.kubeconfig), simulated.INSTALLER]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield running.pid, float(running.stdout.readline())
        finally:
            running.kill()


def memory(pid: int) -> tuple[float, float]:
    """Resident memory of a process now, and at most since its start, in MB."""
    text = Path(f"/proc/{pid}/status").read_text()
    now, most = (re.search(rf"{name}:\s+(\d+)", text) for name in ("VmRSS", "VmHWM"))
    assert now is not None
    assert most is not None
    return int(now[1]) / MEGABYTE, int(most[1]) / MEGABYTE


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def in_sync(operator: Operator, *, every: float) -> None:
    """Wait until every network was reconciled, which is looked at each so many seconds."""
    # Each look at the metrics costs the operator some milliseconds of CPU, one at its log none.
    decided = f"of={SIZE.networks}"

    async def enqueued() -> bool:
        return operator.text().rpartition(_STARTED)[2].count(decided) > 0

    await eventually("every network is enqueued", enqueued, seconds=600, every=0.1)
    done = 'spidercoordinator_reconciles_total{kind="SpiderMultusConfig",result="ok"}'

    async def known() -> bool:
        reconciled, waiting = operator.samples(done, "spidercoordinator_workqueue_depth")
        return reconciled >= SIZE.networks and not waiting

    await eventually("every network is in sync", known, seconds=3600, every=every)


async def populate(api: Client) -> None:
    told(f"... making {SIZE}")
    await foreign.install(api, CALICO_POOLS_V1, CALICO_BLOCKS, CILIUM_NODES)
    took = await population.populate(api, SIZE)
    networks = [simulated.network(each) for each in range(SIZE.networks)]
    took["networks"] = await population.create(api, SPIDERMULTUSCONFIGS, networks, "default")
    await api.create(VALIDATING_WEBHOOK_CONFIGURATIONS, {"metadata": {"name": "spidercoordinator"}})
    await Cluster(api).coordinator({"podCIDRType": "auto"})
    told("made, in s: " + ", ".join(f"{kind} {seconds:.0f}" for kind, seconds in took.items()))


async def test_a_big_cluster(api: Client, server: ApiServer, process: Operator) -> None:
    await populate(api)
    began = time.perf_counter()
    process.start()
    await in_sync(process, every=0.5)
    _, peak = memory(process.pid)
    told(
        f"first start, every network new: {time.perf_counter() - began:.1f} s, CPU "
        f"{cpu(process.pid):.1f} s, at most {verdict(peak, 200)} MB"
    )
    process.stop()
    with bare_watcher(server) as (watcher, lists):
        began = time.perf_counter()
        process.start()
        await in_sync(process, every=0.1)
        seconds = time.perf_counter() - began
        told(
            f"start to in sync: {verdict(seconds, 6)} s, CPU {cpu(process.pid):.1f} s; the bare "
            f"watcher's lists: {lists:.1f} s, CPU {cpu(watcher):.1f} s"
        )
        await calm(api, process.pid, watcher)
        (now, most), (bare, bare_most) = memory(process.pid), memory(watcher)
        told(
            f"resident memory in MB: {now:.0f}, at most {verdict(most, 200)}; "
            f"the bare watcher {bare:.0f}, at most {bare_most:.0f}"
        )


async def calm(api: Client, operator: int, watcher: int) -> None:
    """Tell the CPU of both while the nodes beat and nothing else happens."""
    async with population.heartbeats(api, SIZE.nodes) as beats:
        used = cpu(operator), cpu(watcher)
        began = time.perf_counter()
        await asyncio.sleep(CALM)
        took = time.perf_counter() - began
    share, bare = (
        100 * (cpu(p) - u) / took for p, u in zip((operator, watcher), used, strict=True)
    )
    told(
        f"CPU with {beats.statuses / took:.1f} node statuses and {beats.leases / took:.0f} Leases "
        f"a second, in % of a core: {verdict(share, 3)}; the bare watcher {bare:.1f}"
    )
