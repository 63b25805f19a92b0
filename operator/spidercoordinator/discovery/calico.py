"""Calico: the IP pools it gives pods addresses from.

A disabled pool hands out no new addresses, but pods keep theirs: it counts for as long as an IPAM
block of it has an address in use. A pool that is not for workloads never counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.selection import Finding, Plugin, normalise, uncovered
from spidercoordinator.discovery.daemonsets import daemon_set, deployed
from spidercoordinator.discovery.source import Board, Observed, Topic
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import CALICO_BLOCKS, CALICO_POOLS_V1, CALICO_POOLS_V3


@dataclass(frozen=True, slots=True, order=True)
class _Pool:
    created: str
    name: str
    cidr: str
    open: bool


def read_pool(thing: Object) -> _Pool | None:
    """What one IPPool tells, None when it is not for workloads."""
    spec, meta = thing.get("spec") or {}, thing["metadata"]
    uses = spec.get("allowedUses")
    cidrs = normalise([str(spec.get("cidr", ""))])
    if not cidrs or (uses and "Workload" not in uses):
        return None
    closed = bool(spec.get("disabled") or meta.get("deletionTimestamp"))
    return _Pool(meta.get("creationTimestamp", ""), meta["name"], cidrs[0], not closed)


def read_block(thing: Object) -> str | None:
    """The CIDR of an IPAM block that has an address in use."""
    spec: dict[str, Any] = thing.get("spec") or {}
    in_use = any(entry is not None for entry in spec.get("allocations") or ())
    return next(iter(normalise([str(spec.get("cidr", ""))])), None) if in_use else None


POOLS: Final = Topic("Calico IPPool", Selection((CALICO_POOLS_V1, CALICO_POOLS_V3)), read_pool)
BLOCKS: Final = Topic("Calico IPAM block", Selection((CALICO_BLOCKS,)), read_block)
AGENTS: Final = daemon_set("calico-node")


def _in_use(pool: _Pool, blocks: Observed) -> bool:
    if not blocks.served or blocks.error:
        # Nobody can tell; a route too many harms less than a pod that is cut off.
        return True
    return any(not uncovered([block], [pool.cidr]) for block in blocks.kept.values())


@dataclass(frozen=True)
class CalicoPools:
    """See the module."""

    topics: tuple[Topic, ...] = (POOLS, BLOCKS)

    def find(self, board: Board) -> Finding:
        """The pools, the oldest first."""
        seen, blocks = board[POOLS.title], board[BLOCKS.title]
        counted = [
            pool for pool in sorted(seen.kept.values()) if pool.open or _in_use(pool, blocks)
        ]
        lacks = "" if counted else seen.lacks(POOLS)
        if seen.kept and not counted:
            lacks = "all Calico IPPools are disabled and none has an address in use"
        return Finding(
            source="Calico IPPools",
            type="calico",
            tells=("pod",),
            pod=normalise(pool.cidr for pool in counted),
            lacks=lacks,
        )


@dataclass(frozen=True)
class Calico:
    """Whether Calico gives pods their addresses here."""

    topics: tuple[Topic, ...] = (POOLS, BLOCKS, AGENTS)

    def look(self, board: Board) -> Plugin:
        """Agents deployed, or blocks in use; without a pool it is there for policy alone."""
        pools = any(pool.open for pool in board[POOLS.title].kept.values())
        used = bool(board[BLOCKS.title].kept)
        if where := deployed(board, AGENTS):
            return Plugin("calico", 2, f"DaemonSet {where} runs", chained=not (pools or used))
        if used:
            return Plugin("calico", 1, "IPAM blocks of Calico have addresses in use")
        return Plugin("calico", 0)
