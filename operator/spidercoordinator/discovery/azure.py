"""Azure CNI in overlay mode: the NodeNetworkConfigs that its control plane writes for each node.

A network container of type `overlay` has the node's block in primaryIP and the whole range in
subnetAddressSpace (crd/nodenetworkconfig of azure-container-networking). Those of other types are
of a subnet of the virtual network, where pods can be reached without the node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery.shapes import mappings, section, split
from spidercoordinator.discovery.source import Observations, WatchedObjects
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import AZURE_NODE_NETWORK_CONFIGS

_TYPE_LABEL: Final = "kubernetes.azure.com/podnetwork-type"
_OVERLAY: Final = "overlay"


def read_node_network_config(obj: Object) -> tuple[str, ...] | None:
    """The whole ranges of a node's overlay networks; None for a node without one."""
    labelled = section(obj, "metadata", "labels").get(_TYPE_LABEL) == _OVERLAY
    cidrs = [
        cidr
        for container in mappings(obj, "status", "networkContainers")
        if labelled or container.get("type") == _OVERLAY
        for cidr in split(container.get("subnetAddressSpace"))
    ]
    return tuple(dict.fromkeys(cidrs)) or None


CONFIGS: Final = WatchedObjects(
    "NodeNetworkConfig of an Azure overlay in kube-system",
    Selection((AZURE_NODE_NETWORK_CONFIGS,), namespace="kube-system"),
    read_node_network_config,
)


@dataclass(frozen=True)
class AzureOverlay:
    """See the module."""

    watched: tuple[WatchedObjects, ...] = (CONFIGS,)

    def report(self, observations: Observations) -> SourceReport:
        """The ranges of all nodes, which are mostly the same one."""
        observed = observations[CONFIGS.title]
        cidrs = {cidr for found in observed.entries.values() for cidr in found}
        return SourceReport(
            "Azure NodeNetworkConfigs",
            kinds=("pod",),
            pod=tuple(sorted(cidrs)),
            missing="" if cidrs else observed.why_empty(CONFIGS),
            unread=observed.unread(CONFIGS),
        )
