"""Objects of distributions and CNI plugins that tell the whole range, and the CRDs they are of.

The schemas are what those projects' CRDs say of the fields that are read, and no more.
"""

from __future__ import annotations

import json
from typing import Any

from spidercoordinator.api.objects import Object
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import (
    ANTREA_POOLS_V1ALPHA2,
    ANTREA_POOLS_V1BETA1,
    AZURE_NODE_NETWORK_CONFIGS,
    CONFIG_MAPS,
    CUSTOM_RESOURCE_DEFINITIONS,
    DAEMON_SETS,
    K0S_CLUSTER_CONFIGS,
    KUBE_OVN_SUBNETS,
    NODES,
    OPENSHIFT_NETWORKS,
    PODS,
    Resource,
)
from tests.apiserver.harness import Cluster, eventually

NAMESPACES = Resource("", "v1", "namespaces", "Namespace")
K3S = "k3s.io/node-args"

_TEXT: Object = {"type": "string"}
_FLAG: Object = {"type": "boolean"}
_NUMBER: Object = {"type": "integer"}


def _list(of: Object) -> Object:
    return {"type": "array", "items": of}


def _mapping(**fields: Object) -> Object:
    return {"type": "object", "properties": fields}


_CLUSTER_NETWORK = _mapping(
    clusterNetwork=_list(_mapping(cidr=_TEXT, hostPrefix={"type": "integer", "minimum": 0})),
    serviceNetwork=_list(_TEXT),
    networkType=_TEXT,
    clusterNetworkMTU=_NUMBER,
)
_SUBNET = _mapping(
    cidrBlock=_TEXT,
    default=_FLAG,
    gateway=_TEXT,
    logicalGateway=_FLAG,
    protocol=_TEXT,
    provider=_TEXT,
    vlan=_TEXT,
    vpc=_TEXT,
)
_DUAL_STACK = _mapping(enabled=_FLAG, IPv6podCIDR=_TEXT, IPv6serviceCIDR=_TEXT)
_K0S_NETWORK = _mapping(podCIDR=_TEXT, serviceCIDR=_TEXT, provider=_TEXT, dualStack=_DUAL_STACK)
_NEW_RANGE = {"cidr": _TEXT, "start": _TEXT, "end": _TEXT}
_SUBNET_INFO = {"gateway": _TEXT, "prefixLength": _NUMBER, "vlan": _NUMBER}
_CONTAINER = _mapping(
    assignmentMode={"type": "string", "default": "dynamic", "enum": ["dynamic", "static"]},
    id=_TEXT,
    nodeIP=_TEXT,
    primaryIP=_TEXT,
    subnetAddressSpace=_TEXT,
    subnetName=_TEXT,
    type={"type": "string", "default": "vnet"},
)

SCHEMAS: dict[Resource, Object] = {
    OPENSHIFT_NETWORKS: {"spec": _CLUSTER_NETWORK, "status": _CLUSTER_NETWORK},
    KUBE_OVN_SUBNETS: {"spec": _SUBNET},
    ANTREA_POOLS_V1BETA1: {
        "spec": _mapping(
            ipRanges=_list(_mapping(**_NEW_RANGE)), subnetInfo=_mapping(**_SUBNET_INFO)
        )
    },
    ANTREA_POOLS_V1ALPHA2: {
        "spec": _mapping(ipVersion=_NUMBER, ipRanges=_list(_mapping(**_NEW_RANGE, **_SUBNET_INFO)))
    },
    K0S_CLUSTER_CONFIGS: {"spec": _mapping(network=_K0S_NETWORK)},
    AZURE_NODE_NETWORK_CONFIGS: {
        "spec": _mapping(requestedIPCount=_NUMBER),
        "status": _mapping(assignedIPCount=_NUMBER, networkContainers=_list(_CONTAINER)),
    },
}
NAMED = (
    ("kube-system", "kube-proxy"),
    ("kube-system", "antrea-config"),
    ("kube-flannel", "kube-flannel-cfg"),
    ("ovn-kubernetes", "ovn-config"),
    ("tenant", "kube-flannel-cfg"),
)
AGENTS = ("kube-ovn-cni", "cilium")


async def install(api: Client, kind: Resource) -> None:
    """Create the CRD of a kind and wait until the API server serves it."""
    names = {"plural": kind.plural, "singular": kind.kind.lower(), "kind": kind.kind}
    schema = {"type": "object", "properties": SCHEMAS[kind]}
    version = {
        "name": kind.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    spec = {
        "group": kind.group,
        "names": names,
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "versions": [version],
    }
    body = {"metadata": {"name": kind.full_name}, "spec": spec}
    await api.create(CUSTOM_RESOURCE_DEFINITIONS, body)

    async def served() -> bool:
        return await api.serves(kind)

    await eventually(f"{kind.full_name} is served", served)


async def namespace(api: Client, name: str) -> None:
    if await api.find(NAMESPACES, name) is None:
        await api.create(NAMESPACES, {"metadata": {"name": name}})


async def server_node(api: Client, name: str, *cidrs: str, args: tuple[str, ...]) -> None:
    """A node of a k3s server."""
    annotations = {K3S: json.dumps(["server", *args]), "k3s.io/node-env": "{}"}
    labels = {"node-role.kubernetes.io/control-plane": "true", "kubernetes.io/hostname": name}
    await _node(api, name, cidrs, {"annotations": annotations, "labels": labels})


async def agent_node(api: Client, name: str, *cidrs: str) -> None:
    """A node of a k3s agent."""
    await _node(api, name, cidrs, {"annotations": {K3S: '["agent"]'}})


async def _node(api: Client, name: str, cidrs: tuple[str, ...], meta: Object) -> None:
    spec = {"podCIDR": cidrs[0], "podCIDRs": list(cidrs)} if cidrs else {}
    await api.create(NODES, {"metadata": {"name": name} | meta, "spec": spec})


async def agents(api: Client, name: str, *args: str) -> None:
    """A DaemonSet of ready agents in kube-system."""
    labels = {"app": name}
    container = {"name": "agent", "image": "example.org/agent:1", "args": list(args)}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    meta = {"name": name, "namespace": "kube-system"}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    made = await api.create(DAEMON_SETS, {"metadata": meta, "spec": spec}, "kube-system")
    status = {
        "observedGeneration": made["metadata"]["generation"],
        "currentNumberScheduled": 1,
        "desiredNumberScheduled": 1,
        "numberMisscheduled": 0,
        "numberReady": 1,
    }
    await api.patch(
        DAEMON_SETS, name, "kube-system", patch={"status": status}, subresource="status"
    )


async def kube_proxy_pod(api: Client, name: str, cluster_cidr: str) -> None:
    """A kube-proxy as a GKE node has it."""
    command = f"exec kube-proxy --kubeconfig=/k --cluster-cidr={cluster_cidr} --oom-score-adj=-998"
    body = {
        "metadata": {
            "name": name,
            "namespace": "kube-system",
            "labels": {"component": "kube-proxy"},
        },
        "spec": {
            "nodeName": name.removeprefix("kube-proxy-"),
            "hostNetwork": True,
            "containers": [
                {
                    "name": "kube-proxy",
                    "image": "example.org/kube-proxy:1",
                    "command": ["/bin/sh", "-c", command],
                }
            ],
        },
    }
    await api.create(PODS, body, "kube-system")


async def flannel(cluster: Cluster, net_conf: Any, in_namespace: str = "kube-flannel") -> None:
    """flannel's ConfigMap as its manifest makes it."""
    await namespace(cluster.api, in_namespace)
    data = {
        "cni-conf.json": '{"name":"cbr0","cniVersion":"1.0.0","plugins":[{"type":"flannel"}]}',
        "net-conf.json": json.dumps(net_conf | {"Backend": {"Type": "vxlan"}}),
    }
    await cluster.config_map(in_namespace, "kube-flannel-cfg", data)


async def clean(api: Client) -> None:
    """Remove everything this module may have made, but namespaces, which nobody removes here."""
    kinds = {kind.full_name for kind in SCHEMAS}
    for name in kinds:
        await api.delete(CUSTOM_RESOURCE_DEFINITIONS, name)
    for space, name in NAMED:
        await api.delete(CONFIG_MAPS, name, space)
    for name in AGENTS:
        await api.delete(DAEMON_SETS, name, "kube-system")
    for thing in (await api.list(PODS, "kube-system", labels="component=kube-proxy"))[0]:
        await api.delete(PODS, thing["metadata"]["name"], "kube-system", at_once=True)
    for thing in (await api.list(NODES))[0]:
        await api.delete(NODES, thing["metadata"]["name"])

    async def gone() -> bool:
        found = [await api.find(CUSTOM_RESOURCE_DEFINITIONS, name) for name in kinds]
        return not any(found)

    await eventually("the kinds of distributions are gone", gone)
