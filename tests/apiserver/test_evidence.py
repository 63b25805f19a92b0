"""What is evidence for a type and a list, and what is not: tenants, left-overs, lost sources."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from spidercoordinator.kube.resource import CALICO_POOLS_V1, CONFIG_MAPS, NODES
from tests.apiserver import foreign
from tests.apiserver.discovered import found, kubeadm
from tests.apiserver.harness import Cluster, Operator, condition, eventually
from tests.apiserver.test_metrics import KUBEADM

pytestmark = pytest.mark.usefixtures("operator")


@pytest.fixture(autouse=True)
async def _bare(cluster: Cluster) -> AsyncIterator[None]:
    await foreign.clean(cluster.api)
    yield
    await foreign.clean(cluster.api)


@pytest.mark.parametrize("wrong", ["", "10.244.0.0", "0.0.0.0/0", None])
async def test_a_lost_source_does_not_narrow_the_list_to_the_nodes(
    cluster: Cluster, operator: Operator, wrong: str | None
) -> None:
    await kubeadm(cluster)
    await foreign.node(cluster.api, "node-1", "10.244.0.0/24")
    await cluster.coordinator({"podCIDRType": "auto"})
    await found(cluster, ["10.244.0.0/16"], podCIDRType="cluster", phase="Synced")
    assert operator.metric(KUBEADM) == 1
    good = {"overlayPodCIDR": "kubeadm-config", "serviceCIDR": "ServiceCIDR API"}
    last_known = {**good, "overlayPodCIDR": "last known, from kubeadm-config"}
    if wrong is None:
        await cluster.api.delete(CONFIG_MAPS, "kubeadm-config", "kube-system")
    else:
        await kubeadm(cluster, f'"{wrong}"')
    status = await found(
        cluster, ["10.244.0.0/16"], podCIDRType="cluster", phase="Synced", sources=last_known
    )
    assert condition(status, "Degraded")["status"] == "True"
    assert operator.metric(KUBEADM) == 0
    await kubeadm(cluster)
    await found(cluster, ["10.244.0.0/16"], phase="Synced", sources=good)
    await cluster.api.delete(CONFIG_MAPS, "kubeadm-config", "kube-system")
    await found(cluster, ["10.244.0.0/16"], sources=last_known)
    assert operator.metric(KUBEADM) == 0


@pytest.mark.parametrize("name", ["cilium", "calico-node"])
async def test_a_daemon_set_of_a_tenant_is_no_cni_plugin(cluster: Cluster, name: str) -> None:
    await kubeadm(cluster)
    await foreign.daemon_set(cluster.api, name, "default")
    await cluster.coordinator({"podCIDRType": "auto"})
    status = await found(cluster, ["10.244.0.0/16"], podCIDRType="cluster", phase="Synced")
    assert condition(status, "Degraded")["status"] == "False"


async def test_agents_that_restart_do_not_change_the_type(cluster: Cluster) -> None:
    await kubeadm(cluster)
    await foreign.install(cluster.api, *foreign.CALICO)
    await foreign.calico_pool(cluster.api, "default-ipv4-ippool", "10.222.64.0/18")
    await foreign.daemon_set(cluster.api, "calico-node")
    await cluster.coordinator({"podCIDRType": "auto"})
    await found(cluster, ["10.222.64.0/18"], podCIDRType="calico", phase="Synced")
    await foreign.daemon_set(cluster.api, "calico-node", ready=0)

    async def noticed() -> bool:
        message = condition(await cluster.status(), "CIDRsDiscovered")["message"]
        return "DaemonSet kube-system/calico-node has no ready pod" in message

    await eventually("the restart is noticed", noticed)
    await found(cluster, ["10.222.64.0/18"], podCIDRType="calico", phase="Synced")


async def test_left_overs_of_calico_lose_against_the_nodes(cluster: Cluster) -> None:
    await foreign.install(cluster.api, *foreign.CALICO)
    await foreign.calico_pool(cluster.api, "left-over", "10.10.0.0/16")
    await foreign.calico_block(cluster.api, "10.10.3.0/26", used=1)
    await foreign.node(cluster.api, "node-1", "10.42.0.0/24")
    await cluster.coordinator({"podCIDRType": "auto"})
    await found(cluster, ["10.42.0.0/24"], podCIDRType="cluster", phase="Synced")

    async def both_are_named() -> bool:
        # The block is observed when its kind is, which may be a moment later.
        said = condition(await cluster.status(), "Degraded").get("message", "")
        return "IPAM blocks of Calico" in said and "node.spec.podCIDRs" in said

    await eventually("both sides are named", both_are_named)
    await found(cluster, ["10.42.0.0/24"], podCIDRType="cluster", phase="Synced")


async def test_calico_without_a_daemon_set_is_known_by_its_nodes(cluster: Cluster) -> None:
    await kubeadm(cluster)
    await foreign.install(cluster.api, *foreign.CALICO)
    await foreign.calico_pool(cluster.api, "default-ipv4-ippool", "10.222.64.0/18")
    await foreign.calico_block(cluster.api, "10.222.64.0/26", used=1)
    await foreign.node(cluster.api, "node-1", "10.244.0.0/24")
    marks = {"metadata": {"annotations": {"projectcalico.org/IPv4Address": "10.0.0.1/24"}}}
    await cluster.api.patch(NODES, "node-1", patch=marks)
    await cluster.coordinator({"podCIDRType": "auto"})
    await found(cluster, ["10.222.64.0/18"], podCIDRType="calico", phase="Synced")
    # A node that joins when Calico is gone.
    await foreign.node(cluster.api, "node-2", "10.244.1.0/24")
    await found(cluster, ["10.244.0.0/16"], podCIDRType="cluster", phase="Synced")


async def test_a_kind_that_goes_while_its_agents_run_changes_nothing(cluster: Cluster) -> None:
    await kubeadm(cluster)
    await foreign.install(cluster.api, *foreign.CALICO)
    await foreign.calico_pool(cluster.api, "a", "10.10.0.0/16")
    await foreign.daemon_set(cluster.api, "calico-node")
    await cluster.coordinator({"podCIDRType": "auto"})
    await found(cluster, ["10.10.0.0/16"], podCIDRType="calico", phase="Synced")
    await foreign.remove(cluster.api, CALICO_POOLS_V1)
    sources = {
        "overlayPodCIDR": "last known, from Calico IPPools",
        "serviceCIDR": "ServiceCIDR API",
    }
    await found(cluster, ["10.10.0.0/16"], podCIDRType="calico", sources=sources)


async def test_an_override_that_every_source_contradicts_is_degraded(cluster: Cluster) -> None:
    await kubeadm(cluster)
    await cluster.coordinator({"podCIDRType": "cluster", "podCIDR": ["10.5.0.0/16"]})
    status = await found(cluster, ["10.5.0.0/16"], phase="Synced")
    degraded = condition(status, "Degraded")
    assert degraded["reason"] == "SourcesDisagree"
    assert "spec.podCIDR says 10.5.0.0/16, but kubeadm-config says 10.244" in degraded["message"]
