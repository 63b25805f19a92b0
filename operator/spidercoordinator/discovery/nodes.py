"""What the controller manager gave each node: node.spec.podCIDRs (flannel, k3s, GKE, kindnet)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.ranges import collapse, normalise
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery.source import Observations, WatchedObjects
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import NODES


def read_node(obj: Object) -> tuple[str, ...] | None:
    """The pod CIDRs of one node, None when it has none (yet)."""
    spec = obj.get("spec") or {}
    entries = spec.get("podCIDRs") or ([spec["podCIDR"]] if spec.get("podCIDR") else [])
    return normalise(entries) or None


WATCHED: Final = WatchedObjects("Node with podCIDRs", Selection((NODES,)), read_node)


@dataclass(frozen=True)
class Nodes:
    """See the module."""

    watched: tuple[WatchedObjects, ...] = (WATCHED,)

    def report(self, observations: Observations) -> SourceReport:
        """All nodes' CIDRs, neighbours merged; a new node may widen the list."""
        observation = observations[WATCHED.title]
        return SourceReport(
            source="node.spec.podCIDRs",
            kinds=("pod",),
            pod=collapse(cidr for cidrs in observation.entries.values() for cidr in cidrs),
            missing="" if observation.entries else observation.why_empty(WATCHED),
            unread=observation.unread(WATCHED),
            partial=True,
        )
