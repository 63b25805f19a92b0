"""What the metrics of a real operator say of a real cluster, and its log of what happened."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.apiserver import ApiServer
from tests.apiserver.harness import Cluster, Operator, eventually, kubeadm_config
from tests.apiserver.networks import Networks

KUBEADM = (
    'spidercoordinator_source_entries{namespace="kube-system",resource="configmaps",'
    'selector="metadata.name=kubeadm-config"}'
)


@pytest.fixture
def operator(server: ApiServer, tmp_path: Path) -> Iterator[Operator]:
    running = Operator(server.kubeconfig, tmp_path / "log")
    running.start()
    yield running
    running.stop()


async def shows(operator: Operator, metric: str, value: float) -> None:
    async def check() -> bool:
        return operator.metric(metric) == value

    await eventually(f"{metric} is {value}", check)


async def logged(operator: Operator, *words: str) -> str:
    """Wait for a line that holds all these words; gives it, there must be one only."""

    async def check() -> list[str]:
        lines = operator.text().splitlines()
        return [line for line in lines if all(word in line for word in words)]

    lines: list[str] = await eventually(f"a line with {words}", check)
    assert len(lines) == 1, lines
    return lines[0]


async def test_one_replica_leads(pair: tuple[Operator, Operator]) -> None:
    assert [each.metric("spidercoordinator_leader") for each in pair] == [1, 0]


async def test_what_is_served_shows(cluster: Cluster, operator: Operator) -> None:
    await shows(operator, "spidercoordinator_networks", 0)
    await shows(operator, "spidercoordinator_networks_in_sync", 0)
    await shows(operator, KUBEADM, 0)
    await cluster.coordinator({"podCIDRType": "cluster"})
    await cluster.network("net")
    not_ready = 'spidercoordinator_networks{ready="False",reason="CoordinatorNotReady"}'
    await shows(operator, not_ready, 1)
    await shows(operator, "spidercoordinator_ready", 0)
    good = kubeadm_config("10.244.0.0/16", "10.96.0.0/16")
    await cluster.config_map("kube-system", "kubeadm-config", good)
    await shows(operator, KUBEADM, 1)
    await shows(operator, "spidercoordinator_ready", 1)
    await shows(operator, 'spidercoordinator_networks{ready="True",reason="InSync"}', 1)
    await shows(operator, "spidercoordinator_networks", 1)
    await shows(operator, "spidercoordinator_networks_in_sync", 1)
    read = operator.metric(KUBEADM.replace("entries", "last_read_timestamp_seconds"))
    assert abs(time.time() - read) < 600, "when it was read, in seconds since 1970"
    assert operator.metric('spidercoordinator_api_requests_total{code="201",method="POST"}') >= 1
    await cluster.clean()
    await shows(operator, "spidercoordinator_ready", 0)
    await shows(operator, "spidercoordinator_networks", 0)


async def test_the_log_says_once_what_an_administrator_has_to_know(
    cluster: Cluster, operator: Operator
) -> None:
    networks = Networks(cluster.api)
    coordinator = "object=SpiderCoordinator default"
    told = await logged(operator, "there is no SpiderCoordinator default")
    assert " WARNING " in told
    assert "networks keep what they were rendered with last" in told
    await cluster.coordinator({"podCIDRType": "cluster"})
    line = await logged(operator, coordinator, "reason=NotReady")
    assert " WARNING " in line
    assert "the pod CIDR is unknown" in line
    good = kubeadm_config("10.244.0.0/16", "10.96.0.0/16")
    await cluster.config_map("kube-system", "kubeadm-config", good)
    assert " INFO " in await logged(operator, coordinator, "reason=Synced")
    await networks.make("bad", {"cniType": "custom", "customCNI": "{"})
    line = await logged(operator, "object=SpiderMultusConfig default/bad", "reason=Invalid")
    assert "spec.customCNI" in line
    await networks.wanting("first", "common")
    await networks.ready("first")
    await networks.wanting("second", "common")
    await logged(operator, "object=SpiderMultusConfig default/second", "reason=NameConflict")
    operator.stop()
    operator.start()
    # What held before is no transition; of the networks the status tells.
    assert " INFO " in await logged(operator, coordinator, "it is Synced")
    assert operator.text().count("reason=Invalid") == 1


async def test_a_source_that_fails_says_so_once_and_when_it_is_back(
    server: ApiServer, cluster: Cluster, tmp_path: Path
) -> None:
    # The API server ends and comes back: each watch fails many times.
    await cluster.coordinator({"podCIDRType": "none"})
    running = Operator(server.kubeconfig, tmp_path / "log")
    running.start()
    try:
        await shows(running, "spidercoordinator_ready", 1)
        readable = KUBEADM.replace("entries", "readable")
        await shows(running, readable, 1)
        server.stop_apiserver()
        networks = "spidermultusconfigs.spiderpool.spidernet.io"
        for name in ("ConfigMap kube-system/kubeadm-config", networks):
            await logged(running, f"{name} cannot be read")
        assert running.metric(readable) == 0
        assert running.metric('spidercoordinator_api_requests_total{code="<error>",method="GET"}')
        server.start_apiserver()
        for name in ("ConfigMap kube-system/kubeadm-config", networks):
            await logged(running, f"{name} can be read again")
            await logged(running, f"{name} cannot be read")
        assert " ERROR " not in running.text()
    finally:
        running.stop()
