"""The whole range of pods, found in what distributions and CNI plugins leave in the API.

The API server of the tests serves 10.96.0.0/16 and has ServiceCIDR objects, which come first for
Services: what a source says of them shows as a conflict.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from spidercoordinator.kube.resource import (
    ANTREA_POOLS_V1ALPHA2,
    ANTREA_POOLS_V1BETA1,
    AZURE_NODE_NETWORK_CONFIGS,
    K0S_CLUSTER_CONFIGS,
    KUBE_OVN_SUBNETS,
    NETWORK_ATTACHMENT_DEFINITIONS,
    OPENSHIFT_NETWORKS,
    Resource,
)
from tests.apiserver import distributions
from tests.apiserver.harness import Cluster, condition, eventually, kubeadm_config

pytestmark = pytest.mark.usefixtures("operator")

SERVICE = "10.96.0.0/16"


@pytest.fixture(autouse=True)
async def _bare(cluster: Cluster) -> AsyncIterator[None]:
    await distributions.clean(cluster.api)
    yield
    await distributions.clean(cluster.api)


async def found(
    cluster: Cluster, pod: list[str], source: str, type_: str = "cluster"
) -> dict[str, Any]:
    """Wait until the status has these pod CIDRs from this source, and this podCIDRType."""
    last: dict[str, Any] = {}

    async def check() -> bool:
        last.clear()
        last.update(await cluster.status())
        said = (last.get("sources") or {}).get("overlayPodCIDR")
        in_use = (last.get("overlayPodCIDR"), last.get("podCIDRType"))
        return in_use == (pod, type_) and said == source

    try:
        await eventually(f"{pod} from {source}", check)
    except AssertionError as error:
        raise AssertionError(f"{error}; status: {last}") from error
    return last


async def make(cluster: Cluster, kind: Resource, name: str, **body: Any) -> None:
    space = "kube-system" if kind.namespaced else ""
    meta = {"name": name} | ({"namespace": space} if space else {})
    await cluster.api.create(kind, {"metadata": meta} | body, space)


async def test_a_k3s_node_that_joins_does_not_render_the_networks_anew(cluster: Cluster) -> None:
    api = cluster.api
    await distributions.server_node(api, "server-1", "10.42.0.0/24", args=())
    await cluster.coordinator({"podCIDRType": "auto"})
    await cluster.network("net")
    await found(cluster, ["10.42.0.0/16"], "k3s or RKE2 server arguments")

    async def rendered() -> bool:
        return (await cluster.section("net")).get("overlayPodCIDR") == ["10.42.0.0/16"]

    await eventually("the network has the whole range", rendered)
    before = await api.get(NETWORK_ATTACHMENT_DEFINITIONS, "net", "default")
    status = await cluster.status()
    for number in range(1, 9):
        await distributions.agent_node(api, f"agent-{number}", f"10.42.{3 * number}.0/24")
    # A change that must be seen comes behind those that must not.
    await distributions.server_node(
        api, "server-2", "10.42.200.0/24", args=("--cluster-cidr", "10.42.0.0/16,fd42::/56")
    )

    async def seen() -> bool:
        return "server-2" in condition(await cluster.status(), "Degraded").get("message", "")

    await eventually("the second server is seen", seen)
    after = await api.get(NETWORK_ATTACHMENT_DEFINITIONS, "net", "default")
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    now = await cluster.status()
    assert now["overlayPodCIDR"] == status["overlayPodCIDR"]


async def test_the_arguments_of_k3s_tell_both_families(cluster: Cluster) -> None:
    args = ("--cluster-cidr", "10.52.0.0/16,fd52::/56", "--service-cidr", SERVICE)
    await distributions.server_node(cluster.api, "server-1", "10.52.0.0/24", "fd52::/64", args=args)
    await cluster.coordinator({"podCIDRType": "auto"})
    status = await found(cluster, ["10.52.0.0/16", "fd52::/56"], "k3s or RKE2 server arguments")
    assert condition(status, "Degraded")["status"] == "False"


async def test_the_network_of_openshift(cluster: Cluster) -> None:
    await cluster.coordinator({"podCIDRType": "auto"})
    await distributions.install(cluster.api, OPENSHIFT_NETWORKS)
    lists = {
        "clusterNetwork": [
            {"cidr": "10.128.0.0/14", "hostPrefix": 23},
            {"cidr": "fd01::/48", "hostPrefix": 64},
        ],
        "serviceNetwork": [SERVICE],
        "networkType": "OVNKubernetes",
    }
    await make(cluster, OPENSHIFT_NETWORKS, "other", spec=lists | {"clusterNetwork": []})
    await make(cluster, OPENSHIFT_NETWORKS, "cluster", spec=lists, status=lists)
    await found(cluster, ["10.128.0.0/14", "fd01::/48"], "OpenShift's Network")


async def test_kube_ovn_gives_addresses_whatever_the_cluster_says(cluster: Cluster) -> None:
    await cluster.config_map(
        "kube-system", "kubeadm-config", kubeadm_config("10.244.0.0/16", SERVICE)
    )
    await distributions.agent_node(cluster.api, "node-1", "10.244.0.0/24")
    await cluster.coordinator({"podCIDRType": "auto"})
    await found(cluster, ["10.244.0.0/16"], "kubeadm-config")
    await distributions.install(cluster.api, KUBE_OVN_SUBNETS)
    spec = {"cidrBlock": "10.16.0.0/16", "default": True, "vpc": "ovn-cluster", "provider": "ovn"}
    await make(cluster, KUBE_OVN_SUBNETS, "ovn-default", spec=spec)
    join = spec | {"cidrBlock": "100.64.0.0/16", "default": False}
    await make(cluster, KUBE_OVN_SUBNETS, "join", spec=join)
    await distributions.agents(cluster.api, "kube-ovn-cni")
    status = await found(cluster, ["10.16.0.0/16"], "Kube-OVN Subnets")
    assert condition(status, "Degraded")["status"] == "False"
    more = spec | {"cidrBlock": "10.17.0.0/16,fd17::/112", "default": False}
    await make(cluster, KUBE_OVN_SUBNETS, "team", spec=more)
    await found(cluster, ["10.16.0.0/16", "10.17.0.0/16", "fd17::/112"], "Kube-OVN Subnets")


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        pytest.param(
            ANTREA_POOLS_V1BETA1,
            {
                "ipRanges": [{"cidr": "10.2.0.0/26"}],
                "subnetInfo": {"gateway": "10.2.0.1", "prefixLength": 24},
            },
            id="v1beta1",
        ),
        pytest.param(
            ANTREA_POOLS_V1ALPHA2,
            {
                "ipVersion": 4,
                "ipRanges": [{"cidr": "10.2.0.0/26", "gateway": "10.2.0.1", "prefixLength": 24}],
            },
            id="v1alpha2",
        ),
    ],
)
async def test_pools_of_antrea_are_beside_what_the_cluster_gives(
    cluster: Cluster, kind: Resource, spec: dict[str, Any]
) -> None:
    await cluster.config_map(
        "kube-system", "kubeadm-config", kubeadm_config("10.244.0.0/16", SERVICE)
    )
    data = {
        "antrea-agent.conf": "featureGates:\n  AntreaIPAM: true\nenableBridgingMode: true\n",
        "antrea-controller.conf": "featureGates:\n  AntreaIPAM: true\n",
    }
    await cluster.config_map("kube-system", "antrea-config", data)
    await cluster.coordinator({"podCIDRType": "auto"})
    await found(cluster, ["10.244.0.0/16"], "kubeadm-config")
    await distributions.install(cluster.api, kind)
    await make(cluster, kind, "pool", spec=spec)
    status = await found(
        cluster, ["10.244.0.0/16", "10.2.0.0/26"], "kubeadm-config and Antrea IPPools"
    )
    assert condition(status, "Degraded")["status"] == "False"


async def test_the_node_ipam_of_antrea(cluster: Cluster) -> None:
    controller = "nodeIPAM:\n  enableNodeIPAM: true\n  clusterCIDRs:\n  - 10.50.0.0/16\n"
    await cluster.config_map("kube-system", "antrea-config", {"antrea-controller.conf": controller})
    await distributions.agent_node(cluster.api, "node-1", "10.50.7.0/24")
    await cluster.coordinator({"podCIDRType": "auto"})
    await found(cluster, ["10.50.0.0/16"], "Antrea's node IPAM")


async def test_the_cluster_config_of_k0s(cluster: Cluster) -> None:
    await cluster.coordinator({"podCIDRType": "auto"})
    await distributions.install(cluster.api, K0S_CLUSTER_CONFIGS)
    dual = {"enabled": True, "IPv6podCIDR": "fd50::/108", "IPv6serviceCIDR": "fd60::/108"}
    network = {"podCIDR": "10.50.0.0/16", "provider": "kuberouter", "dualStack": dual}
    await make(cluster, K0S_CLUSTER_CONFIGS, "k0s", spec={"network": network})
    await found(cluster, ["10.50.0.0/16", "fd50::/108"], "k0s ClusterConfig")


async def test_the_overlay_of_azure(cluster: Cluster) -> None:
    await cluster.coordinator({"podCIDRType": "auto"})
    await distributions.install(cluster.api, AZURE_NODE_NETWORK_CONFIGS)
    container = {
        "assignmentMode": "static",
        "nodeIP": "10.224.0.6",
        "primaryIP": "192.168.1.0/24",
        "subnetAddressSpace": "192.168.0.0/16",
        "type": "overlay",
    }
    status = {"assignedIPCount": 256, "networkContainers": [container]}
    await make(cluster, AZURE_NODE_NETWORK_CONFIGS, "aks-1", spec={}, status=status)
    await found(cluster, ["192.168.0.0/16"], "Azure NodeNetworkConfigs")
    # The same cluster with Cilium, which leaves the addresses to Azure's plugin.
    await cluster.config_map("kube-system", "cilium-config", {"ipam": "delegated-plugin"})
    await distributions.agents(cluster.api, "cilium")
    status = await found(cluster, ["192.168.0.0/16"], "Azure NodeNetworkConfigs", "cilium")
    assert condition(status, "Degraded")["status"] == "False"


async def test_flannel_tells_and_a_tenant_s_config_map_of_that_name_does_not(
    cluster: Cluster,
) -> None:
    await distributions.flannel(cluster, {"Network": "10.66.0.0/16"}, in_namespace="tenant")
    await distributions.agent_node(cluster.api, "node-1", "10.244.3.0/24")
    await cluster.coordinator({"podCIDRType": "auto"})
    await found(cluster, ["10.244.3.0/24"], "node.spec.podCIDRs")
    await distributions.flannel(cluster, {"Network": "10.244.0.0/16"})
    await found(cluster, ["10.244.0.0/16"], "flannel's net-conf.json")


async def test_ovn_kubernetes_by_its_config_map(cluster: Cluster) -> None:
    await distributions.namespace(cluster.api, "ovn-kubernetes")
    data = {"net_cidr": "10.128.0.0/14/23,fd01::/48/64", "svc_cidr": SERVICE, "mtu": "1400"}
    await cluster.config_map("ovn-kubernetes", "ovn-config", data)
    await cluster.coordinator({"podCIDRType": "auto"})
    await found(cluster, ["10.128.0.0/14", "fd01::/48"], "OVN-Kubernetes' configuration")


async def test_kube_proxy_by_its_config_map_and_by_its_pods(cluster: Cluster) -> None:
    await distributions.agent_node(cluster.api, "node-1", "10.4.7.0/24")
    await distributions.kube_proxy_pod(cluster.api, "kube-proxy-node-1", "10.4.0.0/14")
    await cluster.coordinator({"podCIDRType": "auto"})
    await found(cluster, ["10.4.0.0/14"], "kube-proxy's cluster CIDR")
    text = "kind: KubeProxyConfiguration\nclusterCIDR: 10.4.0.0/16\n"
    await cluster.config_map("kube-system", "kube-proxy", {"config.conf": text})
    await found(cluster, ["10.4.0.0/16"], "kube-proxy's cluster CIDR")


async def test_where_only_nodes_tell_a_condition_says_so(cluster: Cluster) -> None:
    await distributions.agent_node(cluster.api, "node-1", "10.42.0.0/24")
    await distributions.agent_node(cluster.api, "node-2", "10.42.2.0/24")
    await cluster.coordinator({"podCIDRType": "auto"})
    status = await found(cluster, ["10.42.0.0/24", "10.42.2.0/24"], "node.spec.podCIDRs")
    discovered, degraded = condition(status, "CIDRsDiscovered"), condition(status, "Degraded")
    assert (discovered["status"], discovered["reason"]) == ("True", "FollowsNodes")
    assert (degraded["status"], degraded["reason"]) == ("True", "FollowsNodes")
    assert "set spec.podCIDR" in degraded["message"]
    await cluster.coordinator({"podCIDR": ["10.42.0.0/16"]})
    status = await found(cluster, ["10.42.0.0/16"], "spec.podCIDR")
    assert condition(status, "Degraded")["status"] == "False"
