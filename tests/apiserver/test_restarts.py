"""The operator and the API server die at any moment; what they leave behind is put right."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from spidercoordinator.errors import ApiError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.login import Login
from spidercoordinator.kube.resource import (
    CUSTOM_RESOURCE_DEFINITIONS,
    NETWORK_ATTACHMENT_DEFINITIONS,
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
)
from testbed.apiserver import ApiServer
from tests.apiserver.conftest import NAD_CRD, ROOT, kubectl, serving_our_kinds
from tests.apiserver.harness import COMMAND, Cluster, Operator, condition, eventually

SIZE = 30
CRDS = ROOT / "crds"


@pytest.fixture
def process(server: ApiServer, tmp_path: Path) -> Iterator[Operator]:
    made = Operator(server.kubeconfig, tmp_path / "log")
    yield made
    made.stop()


@pytest.fixture
async def networks(cluster: Cluster) -> list[str]:
    names = [f"net-{number}" for number in range(SIZE)]
    await cluster.coordinator({"podCIDRType": "none"})
    for name in names:
        await cluster.network(name)
    return names


async def converged(cluster: Cluster, names: list[str], table: int) -> None:
    """Wait until every network carries a value, and the status counts all of them."""

    async def carry() -> bool:
        try:
            things, _ = await cluster.api.list(NETWORK_ATTACHMENT_DEFINITIONS)
            status = await cluster.status()
        except ApiError:
            return False
        configs = {each["metadata"]["name"]: each["spec"]["config"] for each in things}
        want = f'"hostRuleTable":{table}'
        in_sync = (status.get("networks") or {}).get("inSync")
        return (
            set(configs) == set(names)
            and all(want in text for text in configs.values())
            and (in_sync == len(names))
        )

    await eventually(f"all {len(names)} networks carry table {table}", carry, seconds=60)


async def test_an_operator_that_is_killed_while_it_works(
    cluster: Cluster, networks: list[str], process: Operator
) -> None:
    process.start()
    for table in range(600, 606):
        await cluster.coordinator({"hostRuleTable": table})
        await asyncio.sleep(0.01 * (table - 600))  # another moment of its work each time
        process.kill()
        process.start()
    await converged(cluster, networks, 605)


async def test_changes_made_while_the_operator_is_away(
    cluster: Cluster, networks: list[str], process: Operator
) -> None:
    process.start()
    await converged(cluster, networks, 500)
    assert process.stop() == 0
    await cluster.coordinator({"hostRuleTable": 611})
    await cluster.api.delete(SPIDERMULTUSCONFIGS, networks[0], "default")
    await cluster.api.delete(NETWORK_ATTACHMENT_DEFINITIONS, networks[0], "default")
    await cluster.api.delete(NETWORK_ATTACHMENT_DEFINITIONS, networks[1], "default")
    process.start()
    await converged(cluster, networks[1:], 611)


async def test_an_api_server_that_restarts_while_the_operator_works(
    cluster: Cluster, networks: list[str], process: Operator, server: ApiServer
) -> None:
    process.start()
    await cluster.coordinator({"hostRuleTable": 620})
    server.stop_apiserver()
    server.start_apiserver()

    async def answers() -> bool:
        with contextlib.suppress(ApiError):
            await cluster.coordinator({"hostRuleTable": 621})
            return True
        return False

    await eventually("the API server answers", answers)
    await converged(cluster, networks, 621)
    assert process.running()
    assert process.get("/livez")[0] == 200


async def test_objects_that_vanish_while_the_api_server_is_away_from_us(
    cluster: Cluster, networks: list[str], process: Operator, server: ApiServer
) -> None:
    process.start()
    await converged(cluster, networks, 500)
    # The operator hears nothing at all while it is stopped, as behind a broken network; the watch
    # it wakes up to is dead, and what was deleted is in no event it will ever get.
    process.pause()
    await cluster.api.delete(SPIDERMULTUSCONFIGS, networks[0], "default")
    await cluster.api.delete(NETWORK_ATTACHMENT_DEFINITIONS, networks[0], "default")
    server.stop_apiserver()
    server.start_apiserver()
    process.resume()

    async def changed() -> bool:
        with contextlib.suppress(ApiError):
            await cluster.coordinator({"hostRuleTable": 631})
            return True
        return False

    await eventually("the API server answers", changed)
    await converged(cluster, networks[1:], 631)


async def test_a_second_start_writes_nothing(
    cluster: Cluster, networks: list[str], process: Operator
) -> None:
    async def versions() -> set[str]:
        found: set[str] = set()
        for kind in (SPIDERCOORDINATORS, SPIDERMULTUSCONFIGS, NETWORK_ATTACHMENT_DEFINITIONS):
            things, _ = await cluster.api.list(kind)
            found |= {each["metadata"]["resourceVersion"] for each in things}
        return found

    process.start()
    await converged(cluster, networks, 500)
    process.stop()
    before = await versions()
    process.start()

    async def worked() -> bool:
        done = 'spidercoordinator_reconciles_total{kind="SpiderMultusConfig",result="ok"}'
        return process.metric(done) >= SIZE

    await eventually("every network was looked at", worked)
    assert await versions() == before


async def test_the_network_kind_that_comes_later(
    cluster: Cluster, process: Operator, server: ApiServer
) -> None:
    await cluster.api.delete(CUSTOM_RESOURCE_DEFINITIONS, NETWORK_ATTACHMENT_DEFINITIONS.full_name)

    async def gone() -> bool:
        return not await cluster.api.serves(NETWORK_ATTACHMENT_DEFINITIONS)

    await eventually("the kind is gone", gone)
    try:
        process.start()
        await cluster.coordinator({"podCIDRType": "none"})
        await cluster.network("early")

        async def waits() -> dict[str, Any] | None:
            status = await cluster.status()
            return status if condition(status, "Ready").get("reason") == "NoNetworkKind" else None

        status = await eventually("the status says what is missing", waits)
        assert status["phase"] == "NotReady"
        assert "install Multus" in status["reason"]
    finally:
        kubectl(server.kubeconfig, "apply", "-f", str(NAD_CRD))

    async def made() -> bool:
        with contextlib.suppress(ApiError):
            synced = (await cluster.status()).get("phase") == "Synced"
            return synced and bool(await cluster.section("early"))
        return False

    await eventually("the network is made", made)


async def test_an_operator_whose_kind_is_removed_ends_and_waits_for_it(tmp_path: Path) -> None:
    with serving_our_kinds() as server:
        process = Operator(server.kubeconfig, tmp_path / "log")
        login = await Login.find({"KUBECONFIG": str(server.kubeconfig)})
        async with Client(login) as client:
            cluster = Cluster(client)
            await cluster.coordinator({"podCIDRType": "none"})
            process.start()
            await cluster.network("early")

            async def rendered(name: str) -> bool:
                return bool(await cluster.section(name))

            await eventually("the network is rendered", partial(rendered, "early"))
            await client.delete(CUSTOM_RESOURCE_DEFINITIONS, SPIDERMULTUSCONFIGS.full_name)

            async def ended() -> bool:
                return not process.running()

            await eventually("the process ends", ended)
            assert process.stop() == 1
            process.start()

            async def waits() -> bool:
                return f"has no {SPIDERMULTUSCONFIGS.full_name} yet" in process.text()

            await eventually("it says what it waits for", waits)
            kubectl(server.kubeconfig, "apply", "-f", str(CRDS))

            async def created() -> bool:
                with contextlib.suppress(ApiError):
                    return bool(await cluster.network("late"))
                return False

            await eventually("the kind is served", created)
            await eventually("the new network is rendered", partial(rendered, "late"))
            assert process.stop() == 0


async def test_a_signal_ends_it_at_once_and_cleanly(process: Operator, cluster: Cluster) -> None:
    await cluster.coordinator({"podCIDRType": "none"})
    # At all moments of a start: its parts are begun one after the other.
    for moment in range(12):
        process.start()
        await asyncio.sleep(moment * 0.004)
        assert process.stop(signal.SIGTERM, within=4) == 0
    assert "Traceback" not in process.text()
    assert "ERROR" not in process.text()


@pytest.mark.parametrize("alive", [True, False], ids=["operator runs", "operator is dead"])
async def test_uninstall_leaves_nothing_that_cannot_be_deleted(
    cluster: Cluster, process: Operator, server: ApiServer, alive: bool
) -> None:
    process.start()
    await cluster.coordinator({"podCIDRType": "none"})

    async def held() -> bool:
        thing = await cluster.api.get(SPIDERCOORDINATORS, "default")
        return bool(thing["metadata"].get("finalizers"))

    await eventually("the finalizer is set", held)
    if not alive:
        process.kill()
    body = {
        "metadata": {"name": "older", "finalizers": ["spiderpool.spidernet.io", "example.org/keep"]}
    }
    await cluster.api.create(SPIDERCOORDINATORS, body)
    environment = {"KUBECONFIG": str(server.kubeconfig), "PATH": os.environ["PATH"]}
    ended = await asyncio.create_subprocess_exec(str(COMMAND), "uninstall", env=environment)
    async with asyncio.timeout(30):
        assert await ended.wait() == 0
    assert await cluster.api.find(SPIDERCOORDINATORS, "default") is None
    older = await cluster.api.get(SPIDERCOORDINATORS, "older")
    assert older["metadata"]["finalizers"] == ["example.org/keep"]
