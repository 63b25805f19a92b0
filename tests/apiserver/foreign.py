"""Objects of other projects, as those projects make them, and just enough of their CRDs."""

from __future__ import annotations

from typing import Any

from spidercoordinator.api.objects import Object
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.resource import (
    CALICO_BLOCKS,
    CALICO_POOLS_V1,
    CALICO_POOLS_V3,
    CILIUM_NODES,
    CILIUM_POOLS_V2ALPHA1,
    CUSTOM_RESOURCE_DEFINITIONS,
    DAEMON_SETS,
    NODES,
    PODS,
    Resource,
)
from tests.apiserver.harness import eventually

CALICO = (CALICO_POOLS_V1, CALICO_BLOCKS)
CILIUM = (CILIUM_POOLS_V2ALPHA1, CILIUM_NODES)
ALL = (*CALICO, CALICO_POOLS_V3, *CILIUM)


async def install(api: Client, *kinds: Resource) -> None:
    """Create CRDs and wait until the API server serves them."""
    for kind in kinds:
        if await api.find(CUSTOM_RESOURCE_DEFINITIONS, kind.full_name) is None:
            await api.create(CUSTOM_RESOURCE_DEFINITIONS, _crd(kind))

        async def served(kind: Resource = kind) -> bool:
            return await api.serves(kind)

        await eventually(f"{kind.full_name} is served", served)


async def remove(api: Client, *kinds: Resource) -> None:
    """Delete CRDs and wait until they are gone."""
    for kind in kinds:
        await api.delete(CUSTOM_RESOURCE_DEFINITIONS, kind.full_name)

        async def gone(kind: Resource = kind) -> bool:
            return await api.find(CUSTOM_RESOURCE_DEFINITIONS, kind.full_name) is None

        await eventually(f"{kind.full_name} is gone", gone)


def _crd(kind: Resource) -> Object:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    names = {"plural": kind.plural, "singular": kind.kind.lower(), "kind": kind.kind}
    version = {
        "name": kind.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "metadata": {
            "name": kind.full_name,
            "annotations": {"api-approved.kubernetes.io": "unapproved, a test"},
        },
        "spec": {
            "group": kind.group,
            "names": names,
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "versions": [version],
        },
    }


async def calico_pool(
    api: Client, name: str, cidr: str, kind: Resource = CALICO_POOLS_V1, **spec: Any
) -> None:
    body = {
        "metadata": {"name": name},
        "spec": {
            "allowedUses": ["Workload", "Tunnel"],
            "blockSize": 26,
            "cidr": cidr,
            "ipipMode": "Never",
            "natOutgoing": True,
            "nodeSelector": "all()",
            "vxlanMode": "Always",
            **spec,
        },
    }
    await api.apply(kind, body)


async def calico_block(api: Client, cidr: str, used: int) -> None:
    name = cidr.replace(".", "-").replace("/", "-").replace(":", "-")
    body = {
        "metadata": {"name": name},
        "spec": {
            "affinity": "host:node-1",
            "allocations": [0] * used + [None] * (64 - used),
            "attributes": [{"handle_id": "k8s-pod-network.0a1b"}] if used else [],
            "cidr": cidr,
            "strictAffinity": False,
            "unallocated": list(range(used, 64)),
        },
    }
    await api.apply(CALICO_BLOCKS, body)


async def daemon_set(
    api: Client, name: str, namespace: str = "kube-system", *, ready: int = 1
) -> None:
    """A DaemonSet that runs on one node, as its controller would report it."""
    labels = {"k8s-app": name}
    body = {
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "agent", "image": "example.org/agent:1"}]},
            },
        },
    }
    made = await api.apply(DAEMON_SETS, body)
    status = {
        "observedGeneration": made["metadata"]["generation"],
        "desiredNumberScheduled": 1,
        "currentNumberScheduled": 1,
        "numberMisscheduled": 0,
        "numberReady": ready,
    }
    await api.patch(DAEMON_SETS, name, namespace, patch={"status": status}, subresource="status")


async def control_plane_pod(
    api: Client, component: str, *flags: str, namespace: str = "kube-system"
) -> None:
    name = f"{component}-node-1"
    body = {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"component": component, "tier": "control-plane"},
        },
        "spec": {
            "nodeName": "node-1",
            "hostNetwork": True,
            "containers": [
                {"name": component, "image": "example.org/k8s:1", "command": [component, *flags]}
            ],
        },
    }
    await api.create(PODS, body, namespace)


async def node(api: Client, name: str, *cidrs: str) -> None:
    body = {"metadata": {"name": name}, "spec": {"podCIDR": cidrs[0], "podCIDRs": list(cidrs)}}
    await api.create(NODES, body)


async def clean(api: Client) -> None:
    """Remove everything this module may have made."""
    for kind in ALL:
        await api.delete(CUSTOM_RESOURCE_DEFINITIONS, kind.full_name)
    for name in ("calico-node", "cilium"):
        for namespace in ("kube-system", "default"):
            await api.delete(DAEMON_SETS, name, namespace)
    for component in ("kube-controller-manager", "kube-apiserver"):
        for namespace in ("kube-system", "default"):
            await api.delete(PODS, f"{component}-node-1", namespace, at_once=True)
    for thing in (await api.list(NODES))[0]:
        await api.delete(NODES, thing["metadata"]["name"])

    async def gone() -> bool:
        found = [await api.find(CUSTOM_RESOURCE_DEFINITIONS, kind.full_name) for kind in ALL]
        return not any(found)

    await eventually("the kinds of others are gone", gone)
