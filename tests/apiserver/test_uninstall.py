"""What a SpiderCoordinator leaves behind when it goes: pods of networks that worked still start."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

import pytest

from spidercoordinator.api.nad import ADOPT
from spidercoordinator.api.objects import Object
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import CONFIG_MAPS, SPIDERCOORDINATORS
from testbed.apiserver import ApiServer
from tests.apiserver.harness import COMMAND, Cluster, Operator, eventually
from tests.apiserver.networks import MACVLAN, Networks

NOT_READY = "CoordinatorNotReady"
Goes = Callable[[ApiServer, Client], Awaitable[None]]


async def uninstalled(server: ApiServer, _: Client) -> None:
    """As the chart's Job does it before helm removes anything."""
    environ = {"PATH": os.environ["PATH"], "KUBECONFIG": str(server.kubeconfig)}
    ended = await asyncio.create_subprocess_exec(str(COMMAND), "uninstall", env=environ)
    async with asyncio.timeout(60):
        assert await ended.wait() == 0


async def deleted(_: ApiServer, api: Client) -> None:
    """As `coordinator.enabled=false`, GitOps tools and people do it."""
    await api.delete(SPIDERCOORDINATORS, "default")


async def node_defaults(api: Client) -> dict[str, str]:
    found = await api.find(CONFIG_MAPS, "spidercoordinator-node-defaults", "default")
    return (found or {}).get("data") or {}


@pytest.fixture
async def config(cluster: Cluster, networks: Networks, operator: Operator) -> str:
    """The configuration of a network's NAD that works."""
    assert operator.running()
    await cluster.coordinator({"podCIDRType": "none", "serviceCIDR": ["10.96.0.0/16"]})
    await networks.make("kept", MACVLAN)
    await networks.ready("kept")
    return await config_of(networks)


async def config_of(networks: Networks) -> str:
    return str((await networks.nad("kept"))["spec"]["config"])


@pytest.fixture
def networks(cluster: Cluster) -> Networks:
    return Networks(cluster.api)


async def gone(api: Client) -> None:
    async def check() -> bool:
        return await api.find(SPIDERCOORDINATORS, "default") is None

    await eventually("the SpiderCoordinator is gone", check)


@pytest.mark.parametrize("goes", [uninstalled, deleted])
async def test_networks_keep_what_pods_start_with(
    server: ApiServer, networks: Networks, operator: Operator, config: str, goes: Goes
) -> None:
    defaults = await node_defaults(networks.api)
    assert "notReadyReason" not in config + str(defaults)
    await goes(server, networks.api)
    told = await networks.has("kept", NOT_READY)
    assert "keeps what it was rendered with last" in told["message"]
    await gone(networks.api)
    operator.stop()
    operator.start()
    # A network that nothing is known of has the reason; by then the operator has decided anew.
    await networks.make("unknown", MACVLAN)
    await networks.has("unknown", NOT_READY)
    assert "notReadyReason" in (await networks.nad("unknown"))["spec"]["config"]
    await networks.change("kept", {"spec": {"macvlan": {"master": ["eth1"]}}})
    await changed(networks, "kept")
    assert await config_of(networks) == config
    assert await node_defaults(networks.api) == defaults


async def changed(networks: Networks, name: str) -> None:
    """Wait until the status is of the network's spec."""

    async def check() -> Object | None:
        network = await networks.get(name)
        seen = (network.get("status") or {}).get("observedGeneration")
        return network if seen == network["metadata"]["generation"] else None

    await eventually(f"{name} was looked at", check)


async def test_what_waited_is_done_when_it_is_there_again(
    cluster: Cluster, networks: Networks, config: str
) -> None:
    await deleted_and_gone(networks.api)
    await networks.has("kept", NOT_READY)
    await networks.change("kept", {"spec": {"macvlan": {"master": ["eth1"]}}})
    await changed(networks, "kept")
    assert await config_of(networks) == config
    await cluster.coordinator({"podCIDRType": "none", "serviceCIDR": ["10.97.0.0/16"]})
    await networks.ready("kept")
    now = await config_of(networks)
    assert "10.97.0.0/16" in now
    assert '"eth1"' in now


async def deleted_and_gone(api: Client) -> None:
    await api.delete(SPIDERCOORDINATORS, "default")
    await gone(api)


async def test_an_adopted_nad_is_not_given_the_reason(networks: Networks, config: str) -> None:
    assert config
    await deleted_and_gone(networks.api)
    await networks.has("kept", NOT_READY)
    theirs = '{"cniVersion":"0.3.1","type":"bridge"}'
    await networks.make_nad("theirs", theirs, annotations={ADOPT: "true"})
    await networks.make("theirs", MACVLAN)
    await networks.has("theirs", NOT_READY)
    assert (await networks.nad("theirs"))["spec"]["config"] == theirs
