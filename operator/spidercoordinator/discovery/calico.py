"""Calico: the IP pools it gives pods addresses from.

A disabled pool hands out no new addresses, but pods keep theirs: it counts for as long as an IPAM
block of it has an address in use. A pool that is not for workloads never counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.ranges import normalise, uncovered
from spidercoordinator.core.cidrs.selection import DetectedPlugin, SourceReport
from spidercoordinator.discovery.daemonsets import daemon_set, deployed
from spidercoordinator.discovery.source import Observation, Observations, WatchedObjects
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import CALICO_BLOCKS, CALICO_POOLS_V1, CALICO_POOLS_V3


@dataclass(frozen=True, slots=True, order=True)
class _Pool:
    created: str
    name: str
    cidr: str
    open: bool


def read_pool(obj: Object) -> _Pool | None:
    """What is kept of an IPPool, None when it is not for workloads."""
    spec, meta = obj.get("spec") or {}, obj["metadata"]
    uses = spec.get("allowedUses")
    cidrs = normalise([str(spec.get("cidr", ""))])
    if not cidrs or (uses and "Workload" not in uses):
        return None
    closed = bool(spec.get("disabled") or meta.get("deletionTimestamp"))
    return _Pool(meta.get("creationTimestamp", ""), meta["name"], cidrs[0], not closed)


def read_block(obj: Object) -> str | None:
    """The CIDR of an IPAM block that has an address in use."""
    spec: dict[str, Any] = obj.get("spec") or {}
    in_use = any(entry is not None for entry in spec.get("allocations") or ())
    return next(iter(normalise([str(spec.get("cidr", ""))])), None) if in_use else None


POOLS: Final = WatchedObjects(
    "Calico IPPool", Selection((CALICO_POOLS_V1, CALICO_POOLS_V3)), read_pool
)
BLOCKS: Final = WatchedObjects("Calico IPAM block", Selection((CALICO_BLOCKS,)), read_block)
AGENTS: Final = daemon_set("calico-node")


def _in_use(pool: _Pool, blocks: Observation) -> bool:
    if not blocks.served or blocks.error:
        # It is unknown; a route too many harms less than a pod that is cut off.
        return True
    return any(not uncovered([block], [pool.cidr]) for block in blocks.entries.values())


@dataclass(frozen=True)
class CalicoPools:
    """See the module."""

    watched: tuple[WatchedObjects, ...] = (POOLS, BLOCKS)

    def report(self, observations: Observations) -> SourceReport:
        """The pools, the oldest first."""
        pools, blocks = observations[POOLS.title], observations[BLOCKS.title]
        counted = [
            pool for pool in sorted(pools.entries.values()) if pool.open or _in_use(pool, blocks)
        ]
        missing = "" if counted else pools.why_empty(POOLS)
        if pools.entries and not counted:
            missing = "all Calico IPPools are disabled and none has an address in use"
        return SourceReport(
            source="Calico IPPools",
            type="calico",
            kinds=("pod",),
            pod=normalise(pool.cidr for pool in counted),
            missing=missing,
        )


@dataclass(frozen=True)
class Calico:
    """Whether Calico gives pods their addresses here."""

    watched: tuple[WatchedObjects, ...] = (POOLS, BLOCKS, AGENTS)

    def detect(self, observations: Observations) -> DetectedPlugin:
        """Agents deployed, or blocks in use; without a pool it is there for policy alone."""
        pools = any(pool.open for pool in observations[POOLS.title].entries.values())
        used = bool(observations[BLOCKS.title].entries)
        if where := deployed(observations, AGENTS):
            return DetectedPlugin(
                "calico", 2, f"DaemonSet {where} runs", chained=not (pools or used)
            )
        if used:
            return DetectedPlugin("calico", 1, "IPAM blocks of Calico have addresses in use")
        return DetectedPlugin("calico", 0)
