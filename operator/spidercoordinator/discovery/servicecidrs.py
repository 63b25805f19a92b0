"""ServiceCIDR objects: what the API server itself allocates ClusterIPs from (v1 since 1.33)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.ranges import normalise
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery.source import Observations, WatchedObjects
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import SERVICE_CIDRS_V1, SERVICE_CIDRS_V1BETA1


@dataclass(frozen=True, slots=True, order=True)
class _Range:
    # The order of the list: the oldest first, and by name where two are of the same second.
    created: str
    name: str
    cidrs: tuple[str, ...]


def read_service_cidr(obj: Object) -> _Range | None:
    """What is kept of a ServiceCIDR.

    One that is being deleted counts until it is gone: its finalizer keeps it for as long as
    Services have addresses from it.
    """
    cidrs = normalise(obj.get("spec", {}).get("cidrs") or ())
    meta = obj["metadata"]
    return _Range(meta.get("creationTimestamp", ""), meta["name"], cidrs) if cidrs else None


WATCHED: Final = WatchedObjects(
    "ServiceCIDR object",
    Selection((SERVICE_CIDRS_V1, SERVICE_CIDRS_V1BETA1)),
    read_service_cidr,
)


@dataclass(frozen=True)
class ServiceCIDRs:
    """See the module."""

    watched: tuple[WatchedObjects, ...] = (WATCHED,)

    def report(self, observations: Observations) -> SourceReport:
        """All ranges, the oldest first."""
        observation = observations[WATCHED.title]
        ranges = sorted(observation.entries.values())
        return SourceReport(
            source="ServiceCIDR API",
            kinds=("service",),
            service=normalise(cidr for item in ranges for cidr in item.cidrs),
            missing="" if ranges else observation.why_empty(WATCHED),
            unread=observation.unread(WATCHED),
        )
