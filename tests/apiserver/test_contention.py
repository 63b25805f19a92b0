"""Another controller undoes each write at once: a few are made, then one a minute, and why."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import pytest

from spidercoordinator.api.nad import NETWORK_INJECT
from spidercoordinator.core.status.contention import BURST, EVERY
from spidercoordinator.kube.resource import (
    CONFIG_MAPS,
    EVENTS,
    SPIDERCOORDINATORS,
    SPIDERMULTUSCONFIGS,
    Object,
)
from testbed.apiserver import ApiServer
from tests.apiserver.harness import Cluster, Operator, condition, eventually, kubeadm_config
from tests.apiserver.networks import Networks

RIVAL = "somebody"
DEFAULTS = "node-defaults"
_RECONCILED = 'spidercoordinator_reconciles_total{kind="SpiderCoordinator",result="ok"}'
PEACE_WITHIN = 240.0
"""Seconds: a minute to the next write, another one in which it stays, and a busy machine."""


@pytest.fixture(scope="module")
def operator(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    environ = {"SPIDERCOORDINATOR_NODE_DEFAULTS_CONFIGMAP": DEFAULTS}
    running = Operator(server.kubeconfig, tmp_path_factory.mktemp("operator") / "log", environ)
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def networks(cluster: Cluster, operator: Operator) -> Networks:
    assert operator.running()
    await cluster.coordinator({"podCIDRType": "none"})
    return Networks(cluster.api)


class Rival:
    """Undoes what it does not like as soon as it sees it."""

    def __init__(self, undo: Callable[[], Awaitable[bool]]) -> None:
        self._undo = undo
        self._began = time.monotonic()
        self.turns = 0

    async def run(self) -> None:
        while True:
            self.turns += await self._undo()
            await asyncio.sleep(0.01)

    @property
    def most(self) -> float:
        """The turns there may be by now: first write, burst, and one a minute."""
        return 1 + BURST + (time.monotonic() - self._began) // EVERY + 1


@asynccontextmanager
async def rival(undo: Callable[[], Awaitable[bool]]) -> AsyncIterator[Rival]:
    made = Rival(undo)
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def told(networks: Networks, name: str, reason: str) -> list[Object]:
    events, _ = await networks.api.list(EVENTS, fields=f"involvedObject.name={name}")
    return [each for each in events if each["reason"] == reason]


async def test_a_fought_over_nad_names_the_rival_and_is_ready_when_it_stops(
    networks: Networks, operator: Operator
) -> None:
    await networks.make("fought")
    await networks.ready("fought")

    async def undo() -> bool:
        if (await networks.nad("fought"))["spec"]["config"] == "{}":
            return False
        await networks.change_nad("fought", {"spec": {"config": "{}"}})
        return True

    async with rival(undo) as other:
        found = await networks.has("fought", "NADContested")
        assert f"field manager {RIVAL}" in found["message"]
        assert "NetworkAttachmentDefinition default/fought" in found["message"]
        assert BURST <= other.turns <= other.most
        turns, version = other.turns, (await networks.get("fought"))["metadata"]["resourceVersion"]

        async def another_turn() -> bool:
            return other.turns > turns

        await eventually("it is put back again", another_turn, seconds=PEACE_WITHIN)
        assert other.turns <= other.most
        # The condition stays as it is all the while.
        assert (await networks.get("fought"))["metadata"]["resourceVersion"] == version
        assert condition((await networks.get("fought"))["status"], "Ready")["status"] == "False"

    async def peace() -> bool:
        status = (await networks.get("fought"))["status"]
        return bool(condition(status, "Ready")["status"] == "True")

    await eventually("the network is ready", peace, seconds=PEACE_WITHIN)
    assert "macvlan" in (await networks.nad("fought"))["spec"]["config"]
    assert len(await told(networks, "fought", "NADContested")) == 1
    assert len(await told(networks, "fought", "NADHealed")) <= BURST + 1
    assert operator.metric('spidercoordinator_nad_changes_total{reason="NADHealed"}') >= BURST


async def test_a_nad_that_is_deleted_again_and_again(networks: Networks) -> None:
    await networks.make("unwanted")
    await networks.ready("unwanted")

    async def undo() -> bool:
        if not await networks.nad("unwanted"):
            return False
        await networks.delete_nad("unwanted")
        return True

    async with rival(undo) as other:
        found = await networks.has("unwanted", "NADContested")
        assert "deletes it" in found["message"]
        assert other.turns <= other.most


async def test_edits_of_the_network_are_rendered_at_once_in_a_fight(networks: Networks) -> None:
    await networks.make("changed")
    await networks.ready("changed")

    async def undo() -> bool:
        if (await networks.nad("changed"))["spec"]["config"] == "{}":
            return False
        await networks.change_nad("changed", {"spec": {"config": "{}"}})
        return True

    async with rival(undo):
        await networks.has("changed", "NADContested")
    await networks.change("changed", {"spec": {"macvlan": {"master": ["eth6"]}}})

    async def rendered() -> bool:
        return "eth6" in (await networks.nad("changed"))["spec"]["config"]

    await eventually("the edit is rendered", rendered, seconds=EVERY / 2)


async def test_fought_over_labels(networks: Networks) -> None:
    spec = {
        "cniType": "sriov",
        "sriov": {"resourceName": "acme.io/vf", "ippools": {"ipv4": ["p4"]}},
    }

    async def undo() -> bool:
        meta = (await networks.get("labelled"))["metadata"]
        if NETWORK_INJECT not in meta.get("labels", {}):
            return False
        await networks.change("labelled", {"metadata": {"labels": {NETWORK_INJECT: None}}})
        return True

    await networks.make("labelled", spec, {NETWORK_INJECT: "rack-1"})
    async with rival(undo) as other:
        found = await networks.has("labelled", "WritesBlocked")
        assert found["reason"] == "Contested"
        assert f"field manager {RIVAL}" in found["message"]
        assert other.turns <= other.most
        await networks.ready("labelled")


async def test_a_fought_over_status_is_an_event(networks: Networks) -> None:
    await networks.make("stated")
    await networks.ready("stated")

    async def undo() -> bool:
        if "nad" not in ((await networks.get("stated")).get("status") or {}):
            return False
        gone = {"status": {"nad": None, "conditions": None}}
        await networks.edit(SPIDERMULTUSCONFIGS, "stated", gone, "default", subresource="status")
        return True

    async def event() -> list[Object]:
        return await told(networks, "stated", "StatusContested")

    async with rival(undo) as other:
        [found] = await eventually("an Event tells", event)
        assert f"field manager {RIVAL}" in found["message"]
        assert other.turns <= other.most


async def test_a_fought_over_coordinator(networks: Networks, cluster: Cluster) -> None:
    async def undo_finalizer() -> bool:
        meta = (await cluster.api.get(SPIDERCOORDINATORS, "default"))["metadata"]
        if not meta.get("finalizers"):
            return False
        await networks.edit(SPIDERCOORDINATORS, "default", {"metadata": {"finalizers": None}})
        return True

    async def undo_defaults() -> bool:
        found = await cluster.api.find(CONFIG_MAPS, DEFAULTS, "default")
        empty = {"coordinator.json": "{}"}
        if not found or found["data"] == empty:
            return False
        await networks.edit(CONFIG_MAPS, DEFAULTS, {"data": empty}, "default")
        return True

    async def both() -> str:
        message = condition(await cluster.status(), "WritesBlocked").get("message", "")
        wanted = ("finalizer in dispute", "nodes' defaults in dispute")
        return str(message) if all(each in message for each in wanted) else ""

    async with rival(undo_finalizer) as one, rival(undo_defaults) as two:
        message = await eventually("both are told of", both)
        # Who removes a finalizer leaves no name behind.
        assert message.count(f"field manager {RIVAL}") == 1
        assert one.turns <= one.most
        assert two.turns <= two.most

    async def undo_status() -> bool:
        if (await cluster.status()).get("phase") != "Synced":
            return False
        other = {"status": {"phase": "NotReady"}}
        await networks.edit(SPIDERCOORDINATORS, "default", other, subresource="status")
        return True

    async def event() -> list[Object]:
        return await told(networks, "default", "StatusContested")

    async with rival(undo_status) as three:
        assert f"field manager {RIVAL}" in (await eventually("an Event tells", event))[0]["message"]
        assert three.turns <= three.most


async def test_ranges_that_flap_do_not_rewrite_nads_each_time(
    networks: Networks, cluster: Cluster, operator: Operator
) -> None:
    ranges = ("10.50.0.0/16", "10.60.0.0/16")

    async def become(pod: str) -> None:
        before = operator.metric(_RECONCILED)
        data = kubeadm_config(pod, "10.96.0.0/16")
        await cluster.config_map("kube-system", "kubeadm-config", data)

        async def seen() -> bool:
            return operator.metric(_RECONCILED) > before

        await eventually("the operator has seen it", seen)

    await become(ranges[0])
    await cluster.coordinator({"podCIDRType": "cluster"})
    await networks.make("steady")

    async def follows(pod: str) -> bool:
        return (await cluster.section("steady")).get("overlayPodCIDR") == [pod]

    await eventually("the NAD has the range", lambda: follows(ranges[0]))
    began, before = time.monotonic(), (await networks.nad("steady"))["metadata"]["generation"]
    for turn in range(1, 31):
        await become(ranges[turn % 2])
    most = BURST + (time.monotonic() - began) // EVERY + 1
    assert (await networks.nad("steady"))["metadata"]["generation"] - before <= most
    await become(ranges[1])
    await eventually("the NAD has the last one", lambda: follows(ranges[1]), seconds=PEACE_WITHIN)
