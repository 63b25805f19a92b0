"""Cilium's nodes: the CIDRs that pods of each have addresses from.

In a cloud these are the subnets of the node's interfaces, which Cilium's operator writes to the
status after it asked the cloud, and the single addresses are in spec.ipam.pool.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.backing import version
from spidercoordinator.core.cidrs.ranges import collapse, normalise, uncovered
from spidercoordinator.discovery.source import WatchedObjects
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import CILIUM_NODES


@dataclass(frozen=True, slots=True)
class NodeRanges:
    """What is kept of a CiliumNode.

    Attributes:
        cidrs: its own CIDRs, or its subnets in a cloud.
        beside: addresses of its pool that are in none of these.
    """

    cidrs: tuple[str, ...]
    beside: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """Its CIDRs, or all that there is in their place."""
        return self.cidrs or self.beside


@dataclass(frozen=True, slots=True)
class RangesOfNodes:
    """The CIDRs of all nodes.

    Attributes:
        cidrs: neighbours merged.
        uncertain: addresses whose subnet is not known now.
        doubt: of which node, for people; empty for none.
    """

    cidrs: tuple[str, ...]
    uncertain: tuple[str, ...] = ()
    doubt: str = ""


def read_node(obj: Object) -> NodeRanges | None:
    """The CIDRs that pods of one node have addresses from."""
    ipam = (obj.get("spec") or {}).get("ipam") or {}
    allocated = (ipam.get("pools") or {}).get("allocated") or ()
    own = [
        *(ipam.get("podCIDRs") or ()),
        *(cidr for pool in allocated for cidr in pool.get("cidrs") or ()),
    ]
    cidrs = tuple(sorted(normalise(own or _subnets(obj.get("status") or {}))))
    beside = _beside(tuple(sorted(ipam.get("pool") or ())), cidrs)
    return NodeRanges(cidrs, beside) if cidrs or beside else None


def _subnets(status: dict[str, Any]) -> list[str]:
    eni = (status.get("eni") or {}).get("enis") or {}
    azure = (status.get("azure") or {}).get("interfaces") or ()
    alibaba = (status.get("alibaba-cloud") or {}).get("enis") or {}
    cidrs = [(each.get("subnet") or {}).get("cidr") for each in eni.values()]
    for each in azure:
        subnet = each.get("subnet")
        cidrs.append((subnet or {}).get("cidr") if isinstance(subnet, dict) else None)
        cidrs.append(each.get("cidr"))
    for each in alibaba.values():
        switch = each.get("vswitch") or {}
        cidrs += [switch.get("cidr"), switch.get("ipv6-cidr")]
    return [cidr for cidr in cidrs if cidr]


def _beside(pool: tuple[str, ...], cidrs: tuple[str, ...]) -> tuple[str, ...]:
    """The addresses outside, of the families that the CIDRs are of."""
    outside = uncovered(pool, cidrs)
    families = {version(cidr) for cidr in cidrs}
    return tuple(each for each in outside if not families or version(each) in families)


_PARTS: Final = ("spec.ipam", "status.eni", "status.azure", "status.alibaba-cloud")
CILIUM_NODE: Final = WatchedObjects(
    "CiliumNode with CIDRs", Selection((CILIUM_NODES,), parts=_PARTS), read_node
)


def ranges_of_nodes(entries: Mapping[str, NodeRanges], *, in_cloud: bool) -> RangesOfNodes:
    """The CIDRs of all nodes.

    Args:
        entries: of `CILIUM_NODE`.
        in_cloud: whether each address is of a subnet that the node's status names: one that is not
            there was not told yet, or is gone from the status for a moment.
    """
    if not in_cloud:
        return RangesOfNodes(collapse(cidr for node in entries.values() for cidr in node.known))
    cidrs = collapse(cidr for node in entries.values() for cidr in node.cidrs)
    doubted = {
        name: outside
        for name, node in entries.items()
        if node.beside and (outside := uncovered(node.beside, cidrs))
    }
    if not doubted:
        return RangesOfNodes(cidrs)
    name = min(doubted)
    more = f", and {len(doubted) - 1} more" if len(doubted) > 1 else ""
    doubt = (
        f"CiliumNode {name.lstrip('/')} has addresses in no subnet of its status, such as"
        f" {doubted[name][0]}{more}"
    )
    return RangesOfNodes(cidrs, collapse(each for one in doubted.values() for each in one), doubt)


def beside_pools(entries: Mapping[str, NodeRanges], pools: tuple[str, ...]) -> tuple[str, ...]:
    """The CIDRs of nodes that are in none of the pools, neighbours merged."""
    return _beside_pools(frozenset(each.known for each in entries.values()), pools)


# Thousands of nodes are mostly the same at the next reconcile.
@lru_cache(maxsize=2)
def _beside_pools(nodes: frozenset[tuple[str, ...]], pools: tuple[str, ...]) -> tuple[str, ...]:
    return collapse(uncovered((cidr for node in nodes for cidr in node), pools))
