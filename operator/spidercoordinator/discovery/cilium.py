"""Cilium: its ConfigMap says who hands out addresses, and that one's objects say which.

https://docs.cilium.io/en/stable/network/concepts/ipam/
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.ranges import normalise
from spidercoordinator.core.cidrs.reports import DetectedPlugin, Presence, SourceReport
from spidercoordinator.discovery.ciliumnodes import CILIUM_NODE, beside_pools, ranges_of_nodes
from spidercoordinator.discovery.daemonsets import (
    Objects,
    daemon_set,
    describe,
    find_agents,
    presence,
)
from spidercoordinator.discovery.shapes import items, section, split
from spidercoordinator.discovery.source import Observations, WatchedObjects, unread
from spidercoordinator.errors import OddObjectError
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import (
    CILIUM_POOLS_V2,
    CILIUM_POOLS_V2ALPHA1,
    CONFIG_MAPS,
)

_SEPARATORS: Final = re.compile(r"[\s,]+")
_CLUSTER_POOL: Final = ("cluster-pool", "cluster-pool-v2beta")
_CLOUDS: Final = ("eni", "azure", "alibabacloud")
_NODE_MODES: Final = (*_CLOUDS, "crd", "delegated-plugin")
_NODES_RANGES: Final = "kubernetes"
"""The mode that hands out the nodes' podCIDRs, which the cluster's own sources tell."""
_KEEPS_ADDRESSES: Final = ("", "none", "portmap")
"""Chaining modes in which Cilium itself makes the pods' interfaces: portmap is chained after it."""
_SHOWN: Final = 4
"""As many of the nodes' ranges are in a message."""
_MODES: Final = (*_CLUSTER_POOL, "multi-pool", _NODES_RANGES, *_NODE_MODES)


@dataclass(frozen=True, slots=True)
class _Config:
    mode: str
    pools: tuple[str, ...]
    chained: bool


@dataclass(frozen=True, slots=True, order=True)
class _Pool:
    created: str
    name: str
    cidrs: tuple[str, ...]


def read_config(obj: Object) -> _Config:
    """Read the ConfigMap; lists of CIDRs are separated by blanks or commas.

    Raises:
        OddObjectError: there is nothing in it: its defaults would say what nobody wrote.
    """
    data = obj.get("data")
    if not data:
        raise OddObjectError("it has no data")
    pools = normalise(
        entry
        for family in ("ipv4", "ipv6")
        for entry in _SEPARATORS.split(data.get(f"cluster-pool-{family}-cidr", ""))
    )
    chained = data.get("cni-chaining-mode", "none") not in _KEEPS_ADDRESSES
    # The agent's own default, for configurations that leave it out.
    return _Config(data.get("ipam") or "cluster-pool", pools, chained)


def read_pool(obj: Object) -> _Pool:
    """The CIDRs of one CiliumPodIPPool.

    Raises:
        OddObjectError: it has none.
    """
    spec, meta = section(obj, "spec"), obj["metadata"]
    cidrs = normalise(
        cidr for family in ("ipv4", "ipv6") for cidr in split(items(spec, family, "cidrs"))
    )
    if not cidrs:
        raise OddObjectError("it has no spec.ipv4.cidrs and no spec.ipv6.cidrs")
    return _Pool(meta.get("creationTimestamp", ""), meta["name"], cidrs)


POOLS: Final = WatchedObjects(
    "CiliumPodIPPool", Selection((CILIUM_POOLS_V2, CILIUM_POOLS_V2ALPHA1)), read_pool
)


def cilium_config(namespace: str, name: str) -> WatchedObjects:
    """Cilium's ConfigMap, whose place is a setting of the operator."""
    return WatchedObjects(
        f"ConfigMap {namespace}/{name}",
        Selection((CONFIG_MAPS,), namespace=namespace, fields=f"metadata.name={name}"),
        read_config,
    )


@dataclass(frozen=True)
class CiliumAddresses:
    """See the module.

    Attributes:
        config: Cilium's ConfigMap.
    """

    config: WatchedObjects

    @property
    def watched(self) -> tuple[WatchedObjects, ...]:
        """The ConfigMap and what each mode needs."""
        return (self.config, POOLS, CILIUM_NODE)

    def report(self, observations: Observations) -> SourceReport:
        """What the IPAM mode leads to."""
        observation = observations[self.config.title]
        config: _Config | None = next(iter(observation.entries.values()), None)
        not_read = observation.unread(self.config)
        if config is None:
            return _report("Cilium", missing=observation.why_empty(self.config), not_read=not_read)
        where, mode = self.config.title, config.mode
        if mode in _CLUSTER_POOL:
            missing = f"{where} has no usable cluster-pool-ipv4-cidr or cluster-pool-ipv6-cidr"
            found = _report("Cilium cluster-pool", config.pools, missing, not_read)
            return _with_those_in_use(found, where, observations)
        if mode == "multi-pool":
            pools = sorted(observations[POOLS.title].entries.values())
            cidrs = normalise(cidr for pool in pools for cidr in pool.cidrs)
            missing = observations[POOLS.title].why_empty(POOLS)
            not_read = unread(observations, self.config, POOLS)
            found = _report("CiliumPodIPPools", cidrs, missing, not_read)
            return _with_those_in_use(found, "the list of CiliumPodIPPools", observations)
        if mode == _NODES_RANGES:
            return SourceReport(
                "Cilium", "cilium", kinds=("pod",), defers_to_cluster=True, unread=not_read
            )
        if mode in _NODE_MODES:
            return _of_nodes(mode, observations, observation.unread(self.config))
        known = ", ".join(_MODES)
        missing = f"{where} has ipam {mode!r}; known are {known}"
        return _report("Cilium", missing=missing, not_read=not_read)


def _of_nodes(mode: str, observations: Observations, not_read: str) -> SourceReport:
    nodes = observations[CILIUM_NODE.title]
    found = ranges_of_nodes(nodes.entries, in_cloud=mode in _CLOUDS)
    cidrs = found.cidrs + found.uncertain
    reasons = (not_read, nodes.unread(CILIUM_NODE), found.doubt)
    return replace(
        _report(f"CiliumNodes ({mode})", cidrs, nodes.why_empty(CILIUM_NODE)),
        unread="; ".join(dict.fromkeys(filter(None, reasons))),
        uncertain=found.uncertain,
        partial=True,
        # Another IPAM plugin gives the addresses, such as that of Azure's overlay.
        defers_to_cluster=mode == "delegated-plugin" and not cidrs,
    )


def _with_those_in_use(
    report: SourceReport, where: str, observations: Observations
) -> SourceReport:
    """A pool's ranges, and those that nodes have beside them.

    A node keeps what it was given, and its pods theirs, when the pool is changed or deleted.
    """
    observed = observations[CILIUM_NODE.title]
    beside = beside_pools(observed.entries, report.pod) if report.pod else ()
    warning = (
        f"{where} names {', '.join(report.pod)}, but CiliumNodes have pod CIDRs elsewhere, too:"
        f" {', '.join(beside[:_SHOWN])}{' ...' if len(beside) > _SHOWN else ''}"
    )
    reasons = (report.unread, observed.unread(CILIUM_NODE))
    return replace(
        report,
        pod=report.pod + beside,
        warning=warning if beside else "",
        unread="; ".join(filter(None, reasons)),
    )


def _report(
    source: str, cidrs: tuple[str, ...] = (), missing: str = "", not_read: str = ""
) -> SourceReport:
    return SourceReport(
        source,
        "cilium",
        cidrs,
        kinds=("pod",),
        missing="" if cidrs else missing,
        unread=not_read,
    )


def agents(namespaces: Iterable[str]) -> WatchedObjects:
    """Cilium's agents, in the namespaces of the cluster's own components."""
    return daemon_set("cilium", namespaces)


@dataclass(frozen=True)
class Cilium:
    """Whether Cilium gives pods their addresses here.

    Attributes:
        config: Cilium's ConfigMap.
        agents: its DaemonSet.
    """

    config: WatchedObjects
    agents: WatchedObjects

    @property
    def watched(self) -> tuple[WatchedObjects, ...]:
        """The ConfigMap, its nodes and its agents."""
        return (self.config, CILIUM_NODE, self.agents)

    def detect(self, observations: Observations) -> DetectedPlugin:
        """Ready agents with their ConfigMap."""
        configs = observations[self.config.title]
        config: _Config | None = next(iter(configs.entries.values()), None)
        agents, name = find_agents(observations[self.agents.title])
        evidence = [describe(agents, name)]
        if config is not None:
            objects = Objects.PRESENT
            evidence.append(f"{self.config.title} exists")
        else:
            objects = Objects.UNREAD if configs.unread(self.config) else Objects.ABSENT
        found = presence(agents, objects)
        if found in {Presence.DOUBTFUL, Presence.UNKNOWN} and config is None:
            evidence.append(configs.why_empty(self.config))
        nodes = observations[CILIUM_NODE.title]
        watched: tuple[WatchedObjects, ...] = (self.config, self.agents)
        if found is Presence.DOUBTFUL and nodes.entries:
            # Cilium made these: it runs, and its ConfigMap is somewhere else.
            found = Presence.UNKNOWN
            evidence.append(
                "CiliumNodes exist (SPIDERCOORDINATOR_CILIUM_CONFIGMAP, chart value"
                " global.ciliumConfigMap, says where the ConfigMap is)"
            )
        elif found is Presence.DOUBTFUL and nodes.unread(CILIUM_NODE):
            # They would tell, and cannot be read.
            found, watched = Presence.UNKNOWN, (*watched, CILIUM_NODE)
        return DetectedPlugin(
            "cilium",
            found,
            ", ".join(filter(None, evidence)),
            chained=config is not None and (config.chained or _is_silent(config, found)),
            unread=unread(observations, *watched),
        )


def _is_silent(config: _Config, found: Presence) -> bool:
    """Whether a configuration without known agents names no other range than the cluster's own.

    So it is with agents of another name, such as those of GKE's Dataplane V2.
    """
    return found is Presence.LEFT_OVERS and config.mode == _NODES_RANGES
