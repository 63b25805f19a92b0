"""The operator with the rights the chart gives it, and no others, does all of its work."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from spidercoordinator.kube.resource import (
    ANTREA_POOLS_V1BETA1,
    AZURE_NODE_NETWORK_CONFIGS,
    CONFIG_MAPS,
    K0S_CLUSTER_CONFIGS,
    KUBE_OVN_SUBNETS,
    OPENSHIFT_NETWORKS,
    SPIDERCOORDINATORS,
)
from testbed.apiserver import ApiServer
from tests.apiserver import distributions, foreign
from tests.apiserver.conftest import kubectl
from tests.apiserver.harness import Cluster, Operator, eventually, kubeadm_config
from tests.apiserver.rights import Rights

SPACE = "rights"
OTHERS = (
    ANTREA_POOLS_V1BETA1,
    AZURE_NODE_NETWORK_CONFIGS,
    K0S_CLUSTER_CONFIGS,
    KUBE_OVN_SUBNETS,
    OPENSHIFT_NETWORKS,
)


@pytest.fixture(scope="module")
def kubeconfig(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kubeconfig with the token of the operator's service account, from the chart's objects."""
    return Rights(server, tmp_path_factory.mktemp("rights"), SPACE).kubeconfig


@pytest.fixture
def limited(kubeconfig: Path, tmp_path: Path) -> Iterator[Operator]:
    environ = {
        "SPIDERCOORDINATOR_NAMESPACE": SPACE,
        "SPIDERCOORDINATOR_NODE_DEFAULTS_CONFIGMAP": "test-spidercoordinator-node-defaults",
    }
    running = Operator(kubeconfig, tmp_path / "log", environ)
    running.start()
    yield running
    running.stop()


@pytest.fixture(autouse=True)
async def _bare(cluster: Cluster) -> AsyncIterator[None]:
    await foreign.clean(cluster.api)
    await distributions.clean(cluster.api)
    yield
    await foreign.clean(cluster.api)
    await distributions.clean(cluster.api)


async def test_all_sources_can_be_read_and_all_products_written(
    cluster: Cluster, limited: Operator
) -> None:
    await foreign.install(cluster.api, *foreign.CALICO, *foreign.CILIUM)
    for kind in OTHERS:
        await distributions.install(cluster.api, kind)
    await cluster.config_map(
        "kube-system", "kubeadm-config", kubeadm_config("10.244.0.0/16", "10.96.0.0/16")
    )
    await cluster.config_map("kube-system", "cilium-config", {"ipam": "kubernetes"})
    await foreign.node(cluster.api, "node-1", "10.244.0.0/24")
    await cluster.coordinator({"podCIDRType": "cluster"})
    await cluster.network("net", {"coordinator": {"vethLinkAddress": "169.254.100.1"}})

    async def rendered() -> bool:
        section = await cluster.section("net")
        return bool(section.get("overlayPodCIDR") == ["10.244.0.0/16"])

    await eventually("the network is rendered", rendered)

    async def readable() -> list[str]:
        found = re.findall(
            r"^spidercoordinator_source_readable\{(.+)\} (\S+)$",
            limited.get("/metrics")[1],
            re.MULTILINE,
        )
        return [source for source, value in found if value == "0.0"] or ["none fails"]

    async def all_readable() -> bool:
        return await readable() == ["none fails"]

    await eventually("every source can be read", all_readable)

    async def deleted() -> bool:
        return await cluster.api.find(SPIDERCOORDINATORS, "default") is None

    # It has the operator's finalizer.
    await cluster.api.delete(SPIDERCOORDINATORS, "default")
    await eventually("the SpiderCoordinator can go", deleted)
    defaults = "test-spidercoordinator-node-defaults"
    assert await cluster.api.find(CONFIG_MAPS, defaults, SPACE) is not None
    assert "answered 403" not in limited.text()


async def test_service_ranges_can_be_asked_for(kubeconfig: Path) -> None:
    rights = ["auth", "can-i", "create", "services", f"--namespace={SPACE}"]
    assert kubectl(kubeconfig, *rights).strip() == "yes"
