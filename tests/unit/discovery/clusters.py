"""Whole clusters: the objects that sources and detectors find, by the name of their kind.

Each has what its distribution and CNI plugin make by themselves, in their shapes, and what is
beside that on a real one: kubeadm's ConfigMap, podCIDRs of nodes, annotations.
"""

from __future__ import annotations

from typing import Any, Final

from tests.unit.discovery.deciding import (
    ANTREA_POOLS,
    AZURE,
    CALICO_BLOCKS,
    CALICO_POOLS,
    CILIUM_NODES,
    CILIUM_POOLS,
    DAEMON_SETS,
    K0S,
    MAPS,
    NODES,
    OPENSHIFT,
    SERVICE_CIDRS,
    SUBNETS,
    Cluster,
    Objects,
)
from tests.unit.discovery.observing import (
    cilium,
    config_map,
    custom,
    daemon_set,
    kubeadm,
    node,
    server,
    service_cidr,
)


def _kubeadm_with(*maps: dict[str, Any], **kinds: list[dict[str, Any]]) -> Objects:
    return {
        SERVICE_CIDRS: service_cidr("10.96.0.0/16"),
        MAPS: [kubeadm("10.244.0.0/16", "10.96.0.0/16"), *maps],
        NODES: [node("a", "10.244.0.0/24"), node("b", "10.244.1.0/24")],
        **kinds,
    }


def _with_cilium(config: dict[str, Any], **kinds: list[dict[str, Any]]) -> Objects:
    agents = {DAEMON_SETS: [daemon_set("kube-system", "cilium")]}
    return _kubeadm_with(config) | agents | {CILIUM_NODES: [], CILIUM_POOLS: []} | kinds


def _cilium_node(ipam: dict[str, Any], **status: Any) -> dict[str, list[dict[str, Any]]]:
    return {CILIUM_NODES: [custom("a", {"ipam": ipam}, status=status)]}


_ONE, _KUBEADM = ["10.96.0.0/16"], ["10.244.0.0/16"]
_ENI = {"eni-1": {"subnet": {"id": "subnet-1", "cidr": "10.1.2.0/24"}}}

CLUSTERS: Final = {
    "kubeadm, both families": Cluster(
        {
            SERVICE_CIDRS: service_cidr("10.96.0.0/16", "fd00:96::/112"),
            MAPS: [
                kubeadm("10.244.0.0/16,fd00:244::/56", "10.96.0.0/16,fd00:96::/112"),
                config_map(
                    "kube-system",
                    "kube-proxy",
                    {"config.conf": "clusterCIDR: 10.244.0.0/16,fd00:244::/56"},
                ),
            ],
            NODES: [node("a", "10.244.0.0/24", "fd00:244::/64")],
        },
        "cluster",
        ["10.244.0.0/16", "fd00:244::/56"],
        ["10.96.0.0/16", "fd00:96::/112"],
    ),
    "k3s": Cluster(
        {
            SERVICE_CIDRS: service_cidr("10.53.0.0/16"),
            NODES: [
                server(
                    "k3s",
                    *("--cluster-cidr", "10.52.0.0/16", "--service-cidr=10.53.0.0/16"),
                    cidr="10.52.0.0/24",
                ),
            ],
        },
        "cluster",
        ["10.52.0.0/16"],
        ["10.53.0.0/16"],
    ),
    "RKE2 with its defaults and Calico": Cluster(
        {
            SERVICE_CIDRS: service_cidr("10.43.0.0/16"),
            NODES: [server("rke2", cidr="10.42.0.0/24")],
            DAEMON_SETS: [daemon_set("calico-system", "calico-node")],
            CALICO_POOLS: [custom("default-ipv4-ippool", {"cidr": "10.42.0.0/16"})],
            CALICO_BLOCKS: [custom("b", {"cidr": "10.42.5.0/26", "allocations": [0, None]})],
        },
        "calico",
        ["10.42.0.0/16"],
        ["10.43.0.0/16"],
    ),
    "k0s": Cluster(
        {
            SERVICE_CIDRS: service_cidr("10.96.0.0/12"),
            NODES: [node("a", "10.244.0.0/24")],
            K0S: [custom("k0s", {"network": {"provider": "kuberouter"}}, namespace="kube-system")],
        },
        "cluster",
        _KUBEADM,
        ["10.96.0.0/12"],
    ),
    "OpenShift": Cluster(
        {
            SERVICE_CIDRS: service_cidr("172.30.0.0/16"),
            NODES: [node("a")],
            DAEMON_SETS: [daemon_set("openshift-ovn-kubernetes", "ovnkube-node")],
            OPENSHIFT: [
                custom(
                    "cluster",
                    {},
                    status={
                        "clusterNetwork": [{"cidr": "10.128.0.0/14", "hostPrefix": 23}],
                        "serviceNetwork": ["172.30.0.0/16"],
                    },
                )
            ],
        },
        "cluster",
        ["10.128.0.0/14"],
        ["172.30.0.0/16"],
    ),
    "OVN-Kubernetes": Cluster(
        _kubeadm_with(
            config_map("ovn-kubernetes", "ovn-config", {"net_cidr": "10.128.0.0/14/23"}),
        )
        | {DAEMON_SETS: [daemon_set("ovn-kubernetes", "ovnkube-node")]},
        "cluster",
        ["10.128.0.0/14"],
        _ONE,
    ),
    "Kube-OVN": Cluster(
        _kubeadm_with()
        | {
            DAEMON_SETS: [daemon_set("kube-system", "kube-ovn-cni")],
            SUBNETS: [
                custom("ovn-default", {"cidrBlock": "10.16.0.0/16,fd16::/112", "default": True}),
                custom("second", {"cidrBlock": "10.66.0.0/16"}),
                custom("join", {"cidrBlock": "100.64.0.0/16,fd64::/112"}),
            ],
        },
        "cluster",
        ["10.16.0.0/16", "fd16::/112", "10.66.0.0/16"],
        _ONE,
    ),
    "Antrea with IPPools": Cluster(
        _kubeadm_with(
            config_map(
                "kube-system",
                "antrea-config",
                {"antrea-agent.conf": "featureGates:\n  AntreaIPAM: true\n"},
            )
        )
        | {ANTREA_POOLS: [custom("p", {"ipRanges": [{"cidr": "10.2.0.0/24"}]})]},
        "cluster",
        ["10.244.0.0/16", "10.2.0.0/24"],
        _ONE,
    ),
    "Calico with several pools": Cluster(
        _kubeadm_with()
        | {
            DAEMON_SETS: [daemon_set("kube-system", "calico-node")],
            CALICO_POOLS: [
                custom("four", {"cidr": "10.244.0.0/17", "blockSize": 26}),
                custom("six", {"cidr": "fd00::/48"}),
                custom("unused", {"cidr": "172.20.0.0/16", "disabled": True}),
                custom("used", {"cidr": "172.21.0.0/16", "disabled": True}),
                custom("lb", {"cidr": "172.22.0.0/16", "allowedUses": ["LoadBalancer"]}),
            ],
            CALICO_BLOCKS: [custom("b", {"cidr": "172.21.3.0/26", "allocations": [0]})],
        },
        "calico",
        ["10.244.0.0/17", "fd00::/48", "172.21.0.0/16"],
        _ONE,
    ),
    "Cilium, cluster-pool": Cluster(
        _with_cilium(
            cilium(ipam="cluster-pool", cluster_pool_ipv4_cidr="10.0.0.0/9 10.200.0.0/16"),
            **_cilium_node({"podCIDRs": ["10.0.0.0/24"]}),
        ),
        "cilium",
        ["10.0.0.0/9", "10.200.0.0/16"],
        _ONE,
    ),
    "Cilium, portmap chained after it": Cluster(
        _with_cilium(
            cilium(
                ipam="cluster-pool",
                cluster_pool_ipv4_cidr="10.1.0.0/16",
                cni_chaining_mode="portmap",
            ),
            **_cilium_node({"podCIDRs": ["10.1.0.0/24"]}),
        ),
        "cilium",
        ["10.1.0.0/16"],
        _ONE,
    ),
    "Cilium, chained to another plugin": Cluster(
        _with_cilium(cilium(ipam="cluster-pool", cni_chaining_mode="generic-veth")),
        "cluster",
        _KUBEADM,
        _ONE,
    ),
    "Cilium, multi-pool": Cluster(
        _with_cilium(
            cilium(ipam="multi-pool"),
            **{
                CILIUM_POOLS: [
                    custom("default", {"ipv4": {"cidrs": ["10.10.0.0/16"], "maskSize": 27}}),
                    custom("mars", {"ipv4": {"cidrs": ["10.20.0.0/16"]}}),
                ]
            },
        ),
        "cilium",
        ["10.10.0.0/16", "10.20.0.0/16"],
        _ONE,
    ),
    "Cilium, kubernetes": Cluster(
        _with_cilium(cilium(ipam="kubernetes")), "cilium", _KUBEADM, _ONE
    ),
    "Cilium, eni": Cluster(
        _with_cilium(
            cilium(ipam="eni"), **_cilium_node({"pool": {"10.1.2.3": {}}}, eni={"enis": _ENI})
        )
        | {MAPS: [cilium(ipam="eni")], NODES: [node("a")]},
        "cilium",
        ["10.1.2.0/24"],
        _ONE,
    ),
    "AKS, overlay": Cluster(
        {
            SERVICE_CIDRS: service_cidr("10.0.0.0/16"),
            NODES: [node("a", "10.244.0.0/24")],
            DAEMON_SETS: [daemon_set("kube-system", "kube-proxy", "--cluster-cidr=10.244.0.0/16")],
            AZURE: [
                custom(
                    "a",
                    {},
                    namespace="kube-system",
                    status={
                        "networkContainers": [
                            {"type": "overlay", "subnetAddressSpace": "10.244.0.0/16"}
                        ]
                    },
                )
            ],
        },
        "cluster",
        _KUBEADM,
        ["10.0.0.0/16"],
    ),
    "flannel, without kubeadm": Cluster(
        {
            SERVICE_CIDRS: service_cidr("10.96.0.0/16"),
            NODES: [node("a", "10.5.0.0/24")],
            MAPS: [
                config_map(
                    "kube-flannel",
                    "kube-flannel-cfg",
                    {"net-conf.json": '{"Network":"10.5.0.0/16"}'},
                )
            ],
        },
        "cluster",
        ["10.5.0.0/16"],
        _ONE,
    ),
    "GKE with Dataplane V2": Cluster(
        {
            SERVICE_CIDRS: service_cidr("34.118.224.0/20"),
            NODES: [node("a", "10.4.0.0/24")],
            DAEMON_SETS: [daemon_set("kube-system", "anetd")],
            MAPS: [cilium(ipam="kubernetes")],
            **_cilium_node({"podCIDRs": ["10.4.0.0/24"]}),
        },
        "cluster",
        ["10.4.0.0/24"],
        ["34.118.224.0/20"],
    ),
    "EKS": Cluster(
        {SERVICE_CIDRS: service_cidr("172.20.0.0/16"), NODES: [node("a")]},
        "none",
        [],
        ["172.20.0.0/16"],
    ),
}
