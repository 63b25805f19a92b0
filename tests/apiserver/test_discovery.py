"""Every source of CIDRs with objects shaped like the real ones, appearing and going at run time.

The API server of the tests serves 10.96.0.0/16 and has ServiceCIDR objects, so service CIDRs come
from there unless a test says otherwise. There is no controller: objects are what tests make them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from spidercoordinator.discovery import servicedryrun
from spidercoordinator.kube.resource import (
    CALICO_POOLS_V1,
    CALICO_POOLS_V3,
    CILIUM_NODES,
    CILIUM_POOLS_V2ALPHA1,
    CONFIG_MAPS,
    SERVICE_CIDRS_V1,
    SERVICES,
)
from tests.apiserver import foreign
from tests.apiserver.discovered import SERVICE, found, kubeadm
from tests.apiserver.harness import Cluster, condition, eventually

pytestmark = pytest.mark.usefixtures("operator")


@pytest.fixture(autouse=True)
async def _bare(cluster: Cluster) -> AsyncIterator[None]:
    await foreign.clean(cluster.api)
    yield
    await foreign.clean(cluster.api)


async def test_controller_manager_flags_stand_in_for_kubeadm_config(cluster: Cluster) -> None:
    flags = ("--allocate-node-cidrs=true", "--cluster-cidr", "10.50.0.0/16,fd50::/56")
    await kubeadm(cluster)
    await foreign.control_plane_pod(cluster.api, "kube-controller-manager", *flags)
    await cluster.coordinator({"podCIDRType": "cluster"})
    status = await found(cluster, ["10.244.0.0/16", "fd50::/56"])
    assert status["sources"]["overlayPodCIDR"] == (
        "kubeadm-config (IPv4), kube-controller-manager flags (IPv6)"
    )
    assert condition(status, "Degraded")["reason"] == "SourcesDisagree"
    await cluster.api.delete(CONFIG_MAPS, "kubeadm-config", "kube-system")
    status = await found(cluster, ["10.50.0.0/16", "fd50::/56"])
    assert status["sources"]["overlayPodCIDR"] == "kube-controller-manager flags"
    assert condition(status, "Degraded")["status"] == "False"


async def test_a_pod_outside_kube_system_is_not_believed(cluster: Cluster) -> None:
    await foreign.control_plane_pod(
        cluster.api, "kube-controller-manager", "--cluster-cidr=10.66.0.0/16", namespace="default"
    )
    await cluster.coordinator({"podCIDRType": "cluster"})
    status = await found(cluster, [], phase="NotReady")
    assert "there is no kube-controller-manager pod in kube-system" in status["reason"]


async def test_nodes_tell_where_nothing_else_does(cluster: Cluster) -> None:
    await cluster.coordinator({"podCIDRType": "auto"})
    await found(cluster, [], podCIDRType="none", phase="Synced")
    await foreign.node(cluster.api, "node-1", "10.42.0.0/24")
    await foreign.node(cluster.api, "node-2", "10.42.1.0/24")
    status = await found(cluster, ["10.42.0.0/23"], podCIDRType="cluster")
    assert status["sources"]["overlayPodCIDR"] == "node.spec.podCIDRs"


async def test_service_ranges_come_and_go(cluster: Cluster) -> None:
    await cluster.coordinator({"podCIDRType": "none"})
    await found(cluster, [], serviceCIDR=[SERVICE])
    body = {"metadata": {"name": "extra"}, "spec": {"cidrs": ["10.111.0.0/24"]}}
    await cluster.api.create(SERVICE_CIDRS_V1, body)
    await found(cluster, [], serviceCIDR=[SERVICE, "10.111.0.0/24"])
    await cluster.api.delete(SERVICE_CIDRS_V1, "extra")
    await found(cluster, [], serviceCIDR=[SERVICE])


async def test_calico_installed_after_the_operator(cluster: Cluster) -> None:
    await kubeadm(cluster)
    await cluster.coordinator({"podCIDRType": "auto"})
    await found(cluster, ["10.244.0.0/16"], podCIDRType="cluster")
    await foreign.install(cluster.api, *foreign.CALICO)
    await foreign.calico_pool(cluster.api, "default-ipv4-ippool", "10.222.64.0/18")
    await foreign.daemon_set(cluster.api, "calico-node")
    await found(cluster, ["10.222.64.0/18"], podCIDRType="calico", phase="Synced")
    await foreign.calico_pool(cluster.api, "second", "10.223.64.0/18")
    await found(cluster, ["10.222.64.0/18", "10.223.64.0/18"])


async def test_a_disabled_calico_pool_stays_while_it_is_in_use(cluster: Cluster) -> None:
    await foreign.install(cluster.api, *foreign.CALICO)
    await foreign.calico_pool(cluster.api, "a", "10.10.0.0/16")
    await foreign.calico_pool(cluster.api, "b", "10.20.0.0/16", disabled=True)
    await foreign.calico_pool(cluster.api, "lb", "10.30.0.0/16", allowedUses=["LoadBalancer"])
    await foreign.calico_block(cluster.api, "10.20.3.0/26", used=2)
    await cluster.coordinator({"podCIDRType": "calico"})
    await found(cluster, ["10.10.0.0/16", "10.20.0.0/16"])
    await foreign.calico_block(cluster.api, "10.20.3.0/26", used=0)
    await found(cluster, ["10.10.0.0/16"])


async def test_calico_by_its_own_api_group(cluster: Cluster) -> None:
    await foreign.install(cluster.api, CALICO_POOLS_V3)
    await foreign.calico_pool(cluster.api, "a", "10.12.0.0/16", CALICO_POOLS_V3)
    await cluster.coordinator({"podCIDRType": "calico"})
    await found(cluster, ["10.12.0.0/16"], phase="Synced")


async def test_a_type_whose_source_is_missing_and_back_again(cluster: Cluster) -> None:
    await kubeadm(cluster)
    await cluster.coordinator({"podCIDRType": "cluster"})
    await cluster.network("net")
    await found(cluster, ["10.244.0.0/16"], phase="Synced")
    await cluster.coordinator({"podCIDRType": "calico"})
    status = await found(cluster, [], phase="NotReady", serviceCIDR=[SERVICE])
    assert "ippools.crd.projectcalico.org" in status["reason"]

    async def told() -> bool:
        reason = (await cluster.section("net")).get("notReadyReason", "")
        return bool(reason == f"spidercoordinator default is not ready: {status['reason']}")

    await eventually("the network carries exactly the reason", told)
    await cluster.coordinator({"podCIDRType": "cluster"})
    await found(cluster, ["10.244.0.0/16"], phase="Synced")

    async def cleared() -> bool:
        section = await cluster.section("net")
        return "notReadyReason" not in section and section["overlayPodCIDR"] == ["10.244.0.0/16"]

    await eventually("the network carries the CIDRs again", cleared)


async def test_the_last_known_list_stays_when_its_source_goes(cluster: Cluster) -> None:
    await kubeadm(cluster)
    await cluster.coordinator({"podCIDRType": "cluster"})
    await found(cluster, ["10.244.0.0/16"])
    await cluster.api.delete(CONFIG_MAPS, "kubeadm-config", "kube-system")
    sources = {
        "overlayPodCIDR": "last known, from kubeadm-config",
        "serviceCIDR": "ServiceCIDR API",
    }
    status = await found(cluster, ["10.244.0.0/16"], phase="Synced", sources=sources)
    assert condition(status, "CIDRsDiscovered")["reason"] == "LastKnown"
    assert condition(status, "Ready")["status"] == "True"


@pytest.mark.parametrize(
    ("data", "pod"),
    [
        pytest.param(
            {
                "ipam": "cluster-pool",
                "cluster-pool-ipv4-cidr": "10.70.0.0/16 10.71.0.0/16",
                "cluster-pool-ipv6-cidr": "fd70::/104",
            },
            ["10.70.0.0/16", "10.71.0.0/16", "fd70::/104"],
            id="cluster-pool",
        ),
        pytest.param({"ipam": "kubernetes"}, ["10.244.0.0/16"], id="kubernetes"),
    ],
)
async def test_cilium_by_its_config_map(
    cluster: Cluster, data: dict[str, str], pod: list[str]
) -> None:
    await kubeadm(cluster)
    await cluster.coordinator({"podCIDRType": "cilium"})
    await found(cluster, [], phase="NotReady")
    await cluster.config_map("kube-system", "cilium-config", {"cluster-id": "0", **data})
    await found(cluster, pod, phase="Synced")


async def test_cilium_by_its_pools_and_nodes_whose_kinds_come_later(cluster: Cluster) -> None:
    await cluster.config_map("kube-system", "cilium-config", {"ipam": "multi-pool"})
    await cluster.coordinator({"podCIDRType": "auto"})
    status = await found(cluster, [], podCIDRType="cilium", phase="NotReady")
    assert "ciliumpodippools.cilium.io" in status["reason"]
    await foreign.install(cluster.api, *foreign.CILIUM)
    pool = {
        "metadata": {"name": "default"},
        "spec": {
            "ipv4": {"cidrs": ["10.80.0.0/16"], "maskSize": 24},
            "ipv6": {"cidrs": ["fd80::/104"], "maskSize": 120},
        },
    }
    await cluster.api.create(CILIUM_POOLS_V2ALPHA1, pool)
    await found(cluster, ["10.80.0.0/16", "fd80::/104"], phase="Synced")
    node = {
        "metadata": {"name": "node-1"},
        "spec": {"eni": {"vpc-id": "vpc-1"}, "ipam": {"pool": {"172.31.5.9": {}}}},
        "status": {"eni": {"enis": {"eni-1": {"subnet": {"id": "s", "cidr": "172.31.0.0/20"}}}}},
    }
    await cluster.api.create(CILIUM_NODES, node)
    await cluster.config_map("kube-system", "cilium-config", {"ipam": "eni"})
    await found(cluster, ["172.31.0.0/20"], phase="Synced")


async def test_left_overs_of_one_plugin_lose_against_the_one_that_runs(cluster: Cluster) -> None:
    await foreign.install(cluster.api, *foreign.CALICO)
    await foreign.calico_pool(cluster.api, "left-over", "10.10.0.0/16")
    await foreign.calico_block(cluster.api, "10.10.3.0/26", used=1)
    await foreign.daemon_set(cluster.api, "cilium")
    data = {"ipam": "cluster-pool", "cluster-pool-ipv4-cidr": "10.70.0.0/16"}
    await cluster.config_map("kube-system", "cilium-config", data)
    await cluster.coordinator({"podCIDRType": "auto"})
    await found(cluster, ["10.70.0.0/16"], podCIDRType="cilium")


async def test_an_override_wins_and_can_be_taken_back(cluster: Cluster) -> None:
    await kubeadm(cluster)
    await cluster.coordinator({"podCIDR": ["10.5.6.7/16"], "serviceCIDR": ["10.6.0.0/16"]})
    await found(cluster, ["10.5.0.0/16"], serviceCIDR=["10.6.0.0/16"])
    await cluster.coordinator({"podCIDR": None, "serviceCIDR": None})
    await found(cluster, ["10.244.0.0/16"], serviceCIDR=[SERVICE])


async def test_pools_that_are_gone_with_their_kind(cluster: Cluster) -> None:
    await foreign.install(cluster.api, *foreign.CALICO)
    await foreign.calico_pool(cluster.api, "a", "10.10.0.0/16")
    await cluster.coordinator({"podCIDRType": "calico"})
    await found(cluster, ["10.10.0.0/16"], phase="Synced")
    await foreign.remove(cluster.api, CALICO_POOLS_V1)
    sources = {
        "overlayPodCIDR": "last known, from Calico IPPools",
        "serviceCIDR": "ServiceCIDR API",
    }
    await found(cluster, ["10.10.0.0/16"], sources=sources)


async def test_the_api_server_s_own_refusal_names_the_range(cluster: Cluster) -> None:
    report = await servicedryrun.ask(cluster.api, "default")
    assert report.service == (SERVICE,)
    services, _ = await cluster.api.list(SERVICES, "default")
    assert [each["metadata"]["name"] for each in services] == ["kubernetes"]
