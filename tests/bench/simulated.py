"""A large cluster as the API server shows it: nodes, their pods, Calico's blocks, CiliumNodes.

Nothing runs on it. The objects are as large as those of real clusters, since what a watcher of
them costs is mostly their size.
"""

from __future__ import annotations

from dataclasses import dataclass

from spidercoordinator.api.objects import Object

INSTALLER = "app=installer"
_IMAGES = 40


@dataclass(frozen=True)
class Size:
    """How many objects there are.

    Attributes:
        nodes: Nodes, each with a Lease and a pod of the installer.
        blocks: IPAM blocks of Calico.
        cilium_nodes: CiliumNodes.
        pods: all pods, those of the installer included.
        networks: SpiderMultusConfigs.
    """

    nodes: int
    blocks: int
    cilium_nodes: int
    pods: int
    networks: int

    @classmethod
    def scaled(cls, factor: float) -> Size:
        """The cluster that figures are promised for, times a factor."""
        return cls(*(max(1, int(each * factor)) for each in (5000, 7000, 7000, 20000, 5000)))


def node(number: int) -> Object:
    """A Node with what kubelet and a cloud write on it, 9 KB."""
    name = f"node-{number:05}"
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "node.kubernetes.io/instance-type": "m5.2xlarge",
        "topology.kubernetes.io/region": "eu-central-1",
        "topology.kubernetes.io/zone": f"eu-central-1{'abc'[number % 3]}",
    }
    pod_cidr = f"10.{128 + number // 256}.{number % 256}.0/24"
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"podCIDR": pod_cidr, "podCIDRs": [pod_cidr], "providerID": f"aws:///{name}"},
        "status": _node_status(number),
    }


def _node_status(number: int) -> Object:
    quantities = {"cpu": "8", "memory": "32Gi", "pods": "110", "ephemeral-storage": "102134Mi"}
    return {
        "addresses": [
            {"type": "InternalIP", "address": f"172.{16 + number // 65536}.{number // 256}.1"},
            {"type": "Hostname", "address": f"node-{number:05}"},
        ],
        "capacity": quantities,
        "allocatable": quantities,
        "conditions": conditions("2026-01-01T00:00:00Z"),
        "images": [
            {
                "names": [f"registry.example.org/team/image-{each}@sha256:{each:064x}"] * 2,
                "sizeBytes": 10_000_000 + each,
            }
            for each in range(_IMAGES)
        ],
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": f"{number:032x}",
            "containerRuntimeVersion": "containerd://2.1.1",
            "kernelVersion": "6.12.0",
            "kubeProxyVersion": "",
            "kubeletVersion": "v1.34.0",
            "machineID": f"{number:032x}",
            "operatingSystem": "linux",
            "osImage": "Debian GNU/Linux 13",
            "systemUUID": f"{number:032x}",
        },
    }


def conditions(heartbeat: str) -> list[Object]:
    """A node's conditions, as kubelet reports them at a time."""
    return [
        {
            "type": kind,
            "status": "True" if kind == "Ready" else "False",
            "reason": f"KubeletHas{kind}",
            "message": f"kubelet says of {kind} what it always says",
            "lastHeartbeatTime": heartbeat,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        for kind in ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready")
    ]


def block(number: int) -> Object:
    """An IPAM block of Calico with half of its addresses given out, 7 KB."""
    used = 32
    attributes = [
        {
            "handle_id": f"k8s-pod-network.{number:032x}{each:032x}",
            "secondary": {
                "namespace": f"team-{number % 100}",
                "node": f"node-{number:05}",
                "pod": f"web-7d4b9c6f5-{number:05}-{each:02}",
                "timestamp": "2026-01-01 00:00:00.000000000 +0000 UTC",
            },
        }
        for each in range(used)
    ]
    first = number * 64
    cidr = f"10.{first // 65536 + 64}.{first // 256 % 256}.{first % 256}/26"
    return {
        "metadata": {"name": cidr.replace(".", "-").replace("/", "-")},
        "spec": {
            "affinity": f"host:node-{number:05}",
            "allocations": [*range(used), *[None] * (64 - used)],
            "attributes": attributes,
            "cidr": cidr,
            "deleted": False,
            "sequenceNumber": number,
            "sequenceNumberForAllocation": {str(each): number + each for each in range(used)},
            "strictAffinity": False,
            "unallocated": list(range(used, 64)),
        },
    }


def cilium_node(number: int) -> Object:
    """A CiliumNode in cluster-pool mode."""
    name = f"node-{number:05}"
    address = f"172.{16 + number // 65536}.{number // 256}.1"
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": {
            "addresses": [
                {"ip": address, "type": "InternalIP"},
                {"ip": f"10.{128 + number // 256}.{number % 256}.7", "type": "CiliumInternalIP"},
            ],
            "alibaba-cloud": {},
            "azure": {},
            "bootid": f"{number:032x}",
            "encryption": {},
            "eni": {},
            "health": {"ipv4": f"10.{128 + number // 256}.{number % 256}.8"},
            "ingress": {},
            "ipam": {"podCIDRs": [f"10.{128 + number // 256}.{number % 256}.0/24"], "pools": {}},
        },
        "status": {"alibaba-cloud": {}, "azure": {}, "eni": {}, "ipam": {"operator-status": {}}},
    }


def pod(number: int, nodes: int) -> Object:
    """A pod on one of the nodes; the first one of each node is the installer's."""
    of_installer = number < nodes
    environment = [{"name": f"VARIABLE_{each}", "value": "x" * 40} for each in range(20)]
    container = {"name": "main", "image": "registry.example.org/team/image:1", "env": environment}
    spec = {
        "nodeName": f"node-{number % nodes:05}",
        "containers": [container],
        "initContainers": [{"name": "install", "image": "registry.example.org/team/image:1"}],
    }
    labels = dict([INSTALLER.split("=")]) if of_installer else {"app": "web"}
    return {"metadata": {"name": f"pod-{number:05}", "labels": labels}, "spec": spec}


def network(number: int) -> Object:
    """A macvlan network."""
    spec = {
        "cniType": "macvlan",
        "macvlan": {"master": ["eth0"]},
        "coordinator": {"vethLinkAddress": "169.254.100.1"},
    }
    return {"metadata": {"name": f"network-{number:05}"}, "spec": spec}


def lease(number: int) -> Object:
    """The Lease of a node."""
    holder = {"holderIdentity": f"node-{number:05}", "leaseDurationSeconds": 40}
    return {"metadata": {"name": f"node-{number:05}"}, "spec": holder}
