"""The handlers under kopf's own command line, without anything of `spidercoordinator run`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from spidercoordinator.api.coordinator import FINALIZER
from spidercoordinator.kube.resource import SPIDERCOORDINATORS, SPIDERMULTUSCONFIGS
from testbed.apiserver import ApiServer, free_port
from tests.apiserver.harness import Cluster, eventually

KOPF = Path(sys.executable).with_name("kopf")


@pytest.fixture
def liveness() -> str:
    return f"http://127.0.0.1:{free_port()}/healthz"


@pytest.fixture
def kopf_run(server: ApiServer, liveness: str, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "KUBECONFIG": str(server.kubeconfig),
        "SPIDERCOORDINATOR_DEFAULT_IPAM": '{"type":"dhcp"}',
        "SPIDERCOORDINATOR_HTTP_PORT": "0",
        "USER": "kopf",
    }
    command = [str(KOPF), "run", "-m", "spidercoordinator.handlers", "--standalone", "-A"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([*command, f"--liveness={liveness}"], env=environ, stderr=log)
    yield process
    if process.poll() is None:
        process.kill()
        process.wait()


async def test_both_kinds_are_reconciled_and_the_probe_answers(
    cluster: Cluster, kopf_run: subprocess.Popen[bytes], liveness: str, tmp_path: Path
) -> None:
    await cluster.coordinator({"podCIDRType": "none", "hostRuleTable": 700})
    await cluster.network("net")

    async def rendered() -> bool:
        return (await cluster.section("net")).get("hostRuleTable") == 700

    await eventually("the network is rendered", rendered)

    async def alive() -> bool:
        async with aiohttp.ClientSession() as session:
            try:
                async with session.get(liveness) as answer:
                    return "secondsSinceLastEvent" in (await answer.json())["reconciling"]
            except aiohttp.ClientConnectionError:
                return False

    async def held() -> bool:
        coordinator = await cluster.api.get(SPIDERCOORDINATORS, "default")
        return bool(coordinator["metadata"].get("finalizers") == [FINALIZER])

    await eventually("the probe answers", alive)
    await eventually("the finalizer is set", held)
    kopf_run.send_signal(signal.SIGTERM)
    assert kopf_run.wait(10) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()
    network = await cluster.api.get(SPIDERMULTUSCONFIGS, "net", "default")
    assert network["metadata"].keys().isdisjoint({"annotations", "finalizers"})
    coordinator = await cluster.api.get(SPIDERCOORDINATORS, "default")
    assert "annotations" not in coordinator["metadata"]
