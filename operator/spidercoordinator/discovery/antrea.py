"""Antrea: the range of its node IPAM, and the IPPools of which pods have single addresses.

Without either Antrea hands out what the controller manager gave each node. ConfigMap
kube-system/antrea-config holds `nodeIPAM` in antrea-controller.conf and the feature gate AntreaIPAM
in antrea-agent.conf (build/charts/antrea/conf, docs/antrea-ipam.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import summarize_address_range
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.api.scalars import parse_ip, parse_network
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery.shapes import items, parse_yaml, section, split, text
from spidercoordinator.discovery.source import (
    Observations,
    ReadState,
    WatchedObjects,
    unread,
)
from spidercoordinator.errors import OddObjectError
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import (
    ANTREA_POOLS_V1ALPHA2,
    ANTREA_POOLS_V1BETA1,
    CONFIG_MAPS,
)

_CONTROLLER: Final = "antrea-controller.conf"
_AGENT: Final = "antrea-agent.conf"


@dataclass(frozen=True, slots=True)
class _Config:
    """What is kept of antrea-config.

    Attributes:
        pod: clusterCIDRs of the node IPAM, none where it is off.
        service: the service ranges that the node IPAM keeps free.
        pools: whether pods may have addresses of IPPools.
        problem: what cannot be read.
    """

    pod: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    pools: bool = False
    problem: str = ""


def read_config(obj: Object) -> _Config:
    """Read the two files that count.

    Raises:
        OddObjectError: there is nothing in it.
    """
    if not section(obj, "data"):
        raise OddObjectError("it has no data")
    try:
        controller, agent = (
            parse_yaml(text(obj, "data", key) or "{}") for key in (_CONTROLLER, _AGENT)
        )
    except ValueError as error:
        return _Config(problem=f"{_CONTROLLER} or {_AGENT} {error}")
    gates = section(agent, "featureGates")
    pools = gates.get("AntreaIPAM", gates.get("AllAlpha")) is True
    ipam = section(controller, "nodeIPAM")
    if ipam.get("enableNodeIPAM") is not True:
        return _Config(pools=pools, problem=f"{_CONTROLLER} has no nodeIPAM.enableNodeIPAM: true")
    pod = split(ipam.get("clusterCIDRs"))
    service = split([ipam.get("serviceCIDR"), ipam.get("serviceCIDRv6")])
    problem = "" if pod else f"{_CONTROLLER} has no nodeIPAM.clusterCIDRs"
    return _Config(pod, service, pools, problem)


def read_pool(obj: Object) -> tuple[str, ...] | None:
    """The ranges of an IPPool; None for one of a VLAN, which the physical network routes to.

    v1alpha2 has gateway and VLAN in each range, v1beta1 once for the pool.

    Raises:
        OddObjectError: it has no range, or one that cannot be read.
    """
    if section(obj, "spec", "subnetInfo").get("vlan"):
        return None
    given = items(obj, "spec", "ipRanges")
    found = []
    for index, each in enumerate(given):
        of_vlan = isinstance(each, dict) and each.get("vlan")
        cidrs = list(_cidrs(each)) if isinstance(each, dict) else []
        if not cidrs and not of_vlan:
            raise OddObjectError(f"spec.ipRanges[{index}] is no range")
        found += [] if of_vlan else cidrs
    if not given:
        raise OddObjectError("it has no spec.ipRanges")
    return tuple(found) or None


def _cidrs(given: Object) -> Iterator[str]:
    if cidr := text(given, "cidr"):
        if parse_network(cidr) is not None:
            yield cidr
        return
    first, final = parse_ip(text(given, "start")), parse_ip(text(given, "end"))
    if first is None or final is None:
        return
    try:
        yield from map(str, summarize_address_range(first, final))
    except (TypeError, ValueError):
        # Two families, or the end comes first: Antrea refuses such a pool, too.
        return


CONFIG: Final = WatchedObjects(
    "ConfigMap kube-system/antrea-config",
    Selection((CONFIG_MAPS,), namespace="kube-system", fields="metadata.name=antrea-config"),
    read_config,
)
POOLS: Final = WatchedObjects(
    "Antrea IPPool", Selection((ANTREA_POOLS_V1BETA1, ANTREA_POOLS_V1ALPHA2)), read_pool
)


@dataclass(frozen=True)
class AntreaNodeIPAM:
    """The ranges from which Antrea's controller gives nodes their podCIDRs."""

    watched: tuple[WatchedObjects, ...] = (CONFIG,)

    def report(self, observations: Observations) -> SourceReport:
        """The ranges in Antrea's configuration."""
        observed = observations[CONFIG.title]
        found: _Config = next(iter(observed.entries.values()), _Config())
        missing = f"{CONFIG.title}: {found.problem}" if found.problem else ""
        return SourceReport(
            "Antrea's node IPAM",
            pod=found.pod,
            service=found.service,
            missing=missing if observed.entries else observed.why_empty(CONFIG),
            unread=observed.unread(CONFIG),
        )


@dataclass(frozen=True)
class AntreaPools:
    """The IPPools, whose addresses pods have beside those of the nodes' podCIDRs."""

    watched: tuple[WatchedObjects, ...] = (POOLS, CONFIG)

    def report(self, observations: Observations) -> SourceReport:
        """The ranges of all pools, by name; none where the feature is off."""
        pools, configs = observations[POOLS.title], observations[CONFIG.title]
        config: _Config | None = next(iter(configs.entries.values()), None)
        if config is not None and not config.pools:
            found, missing = [], f"{CONFIG.title}: {_AGENT} does not enable AntreaIPAM"
        else:
            found, missing = sorted(pools.entries.items()), pools.why_empty(POOLS)
        cidrs = tuple(cidr for _, of_pool in found for cidr in of_pool)
        not_read = unread(observations, POOLS, CONFIG)
        if config is not None and config.pools and pools.state is ReadState.NOT_SERVED:
            # Agents whose kind vanishes go on with what they have.
            not_read = f"{missing}, although {CONFIG.title} enables AntreaIPAM"
        return SourceReport(
            "Antrea IPPools",
            kinds=("pod",),
            pod=cidrs,
            missing="" if cidrs else missing,
            unread=not_read,
            additional=True,
        )
