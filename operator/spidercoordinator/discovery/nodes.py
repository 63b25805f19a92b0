"""What the controller manager gave each node: node.spec.podCIDRs (flannel, k3s, GKE, kindnet)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.selection import Finding, collapse, normalise
from spidercoordinator.discovery.source import Board, Topic
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import NODES


def read_node(thing: Object) -> tuple[str, ...] | None:
    """The pod CIDRs of one node, None when it has none (yet)."""
    spec = thing.get("spec") or {}
    entries = spec.get("podCIDRs") or ([spec["podCIDR"]] if spec.get("podCIDR") else [])
    return normalise(entries) or None


TOPIC: Final = Topic(
    "Node with podCIDRs",
    Selection((NODES,), only=(("spec", "podCIDRs"), ("spec", "podCIDR"))),
    read_node,
)


@dataclass(frozen=True)
class Nodes:
    """See the module."""

    topics: tuple[Topic, ...] = (TOPIC,)

    def find(self, board: Board) -> Finding:
        """All nodes' CIDRs, neighbours merged; a new node may widen the list."""
        seen = board[TOPIC.title]
        return Finding(
            source="node.spec.podCIDRs",
            tells=("pod",),
            pod=collapse(cidr for cidrs in seen.kept.values() for cidr in cidrs),
            lacks="" if seen.kept else seen.lacks(TOPIC),
        )
