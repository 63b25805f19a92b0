"""Calico: the IP pools it gives pods addresses from.

A disabled pool hands out no new addresses, but pods keep theirs: it counts for as long as an IPAM
block of it has an address in use. A pool that is not for workloads never counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.api.scalars import parse_network
from spidercoordinator.core.cidrs.ranges import normalise, uncovered
from spidercoordinator.core.cidrs.reports import DetectedPlugin, Presence, SourceReport
from spidercoordinator.discovery import nodes
from spidercoordinator.discovery.caliconodes import marks, without_agents
from spidercoordinator.discovery.daemonsets import (
    Agents,
    Objects,
    daemon_set,
    describe,
    find_agents,
    presence,
)
from spidercoordinator.discovery.shapes import items, needed_text, text
from spidercoordinator.discovery.source import (
    Observation,
    Observations,
    ReadState,
    WatchedObjects,
    unread,
)
from spidercoordinator.errors import OddObjectError
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import CALICO_BLOCKS, CALICO_POOLS_V1, CALICO_POOLS_V3

_NO_NODE: Final = "!all()"
"""nodeSelector of a pool for pods that name it: by itself no pod has an address of it."""


@dataclass(frozen=True, slots=True, order=True)
class _Pool:
    created: str
    name: str
    cidr: str
    open: bool
    of_nodes: bool = True


def read_pool(obj: Object) -> _Pool | None:
    """What is kept of an IPPool, None when it is not for workloads.

    Raises:
        OddObjectError: it has no range.
    """
    spec, meta = obj.get("spec") or {}, obj["metadata"]
    uses = spec.get("allowedUses")
    if uses and "Workload" not in uses:
        return None
    (cidr,) = normalise([needed_text(obj, "spec", "cidr")])
    closed = bool(spec.get("disabled") or meta.get("deletionTimestamp"))
    if closed and parse_network(cidr) is None:
        # Of one that is open the selection names it.
        raise OddObjectError(f'spec.cidr "{cidr}" is not a range of addresses')
    of_nodes = text(obj, "spec", "nodeSelector").strip() != _NO_NODE
    return _Pool(meta.get("creationTimestamp", ""), meta["name"], cidr, not closed, of_nodes)


def read_block(obj: Object) -> str | None:
    """The CIDR of an IPAM block that has an address in use.

    Raises:
        OddObjectError: it has no range.
    """
    (cidr,) = normalise([needed_text(obj, "spec", "cidr")])
    return cidr if any(entry is not None for entry in items(obj, "spec", "allocations")) else None


POOLS: Final = WatchedObjects(
    "Calico IPPool", Selection((CALICO_POOLS_V1, CALICO_POOLS_V3)), read_pool
)
_PARTS: Final = ("spec.cidr", "spec.allocations")
"""Who has the addresses is most of a block."""
BLOCKS: Final = WatchedObjects(
    "Calico IPAM block", Selection((CALICO_BLOCKS,), parts=_PARTS), read_block
)


def _in_use(pool: _Pool, blocks: Observation) -> bool:
    return any(not uncovered([block], [pool.cidr]) for block in blocks.entries.values())


@dataclass(frozen=True)
class CalicoPools:
    """See the module."""

    watched: tuple[WatchedObjects, ...] = (POOLS, BLOCKS)

    def report(self, observations: Observations) -> SourceReport:
        """The pools, the oldest first."""
        pools, blocks = observations[POOLS.title], observations[BLOCKS.title]
        known = sorted(pools.entries.values())
        unused = [pool for pool in known if not pool.open and not _in_use(pool, blocks)]
        # Where it is unknown, a route too many harms less than a pod that is cut off.
        uncertain = [] if blocks.state is ReadState.READ else unused
        counted = known if uncertain else [pool for pool in known if pool not in unused]
        missing = "" if counted else pools.why_empty(POOLS)
        if pools.entries and not counted:
            missing = "all Calico IPPools are disabled and none has an address in use"
        return SourceReport(
            source="Calico IPPools",
            type="calico",
            kinds=("pod",),
            pod=normalise(pool.cidr for pool in counted),
            missing=missing,
            unread=unread(observations, POOLS, BLOCKS),
            uncertain=tuple(pool.cidr for pool in uncertain),
        )


def agents(namespaces: Iterable[str]) -> WatchedObjects:
    """Calico's agents, in the namespaces of the cluster's own components."""
    return daemon_set("calico-node", namespaces)


@dataclass(frozen=True)
class Calico:
    """Whether Calico gives pods their addresses here.

    Attributes:
        agents: its DaemonSet.
    """

    agents: WatchedObjects

    @property
    def watched(self) -> tuple[WatchedObjects, ...]:
        """Its pools, its IPAM blocks, its agents, and its marks on nodes."""
        return (POOLS, BLOCKS, self.agents, nodes.WATCHED)

    def detect(self, observations: Observations) -> DetectedPlugin:
        """Ready agents with a pool or blocks; without either it is there for policy alone."""
        pools, blocks = observations[POOLS.title], observations[BLOCKS.title]
        open_pool = any(pool.open and pool.of_nodes for pool in pools.entries.values())
        agents, name = find_agents(observations[self.agents.title])
        evidence = [describe(agents, name)]
        if blocks.entries:
            evidence.append("IPAM blocks of Calico have addresses in use")
        if agents in {Agents.ELSEWHERE, Agents.NONE}:
            marked = marks(observations[nodes.WATCHED.title])
            found = without_agents(_blocks_in_use(blocks), marked)
            if marked is Objects.PRESENT and found is not Presence.ABSENT:
                evidence.append("every node has annotations of Calico")
        elif open_pool or blocks.entries:
            found = presence(agents, Objects.PRESENT)
        else:
            not_read = unread(observations, POOLS, BLOCKS)
            found = presence(agents, Objects.UNREAD if not_read else Objects.ABSENT)
        by_marks = (nodes.WATCHED,) if found is Presence.UNKNOWN else ()
        watched = (POOLS, BLOCKS, self.agents, *by_marks)
        if found is Presence.DOUBTFUL:
            evidence.append(pools.why_empty(POOLS))
        return DetectedPlugin(
            "calico",
            found,
            ", ".join(filter(None, evidence)),
            chained=found is Presence.DOUBTFUL and pools.state is ReadState.READ,
            unread=unread(observations, *watched),
        )


def _blocks_in_use(blocks: Observation) -> Objects:
    if blocks.entries:
        return Objects.PRESENT
    return Objects.UNREAD if blocks.unread(BLOCKS) else Objects.ABSENT
