"""ServiceCIDR objects: what the API server itself allocates ClusterIPs from (v1 since 1.33)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.selection import Finding, normalise
from spidercoordinator.discovery.source import Board, Topic
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import SERVICE_CIDRS_V1, SERVICE_CIDRS_V1BETA1


@dataclass(frozen=True, slots=True, order=True)
class _Range:
    # The order of the list: the oldest first, and by name where two are of the same second.
    created: str
    name: str
    cidrs: tuple[str, ...]


def read_service_cidr(thing: Object) -> _Range | None:
    """What one ServiceCIDR tells.

    One that is being deleted counts until it is gone: its finalizer keeps it for as long as
    Services have addresses from it.
    """
    cidrs = normalise(thing.get("spec", {}).get("cidrs") or ())
    meta = thing["metadata"]
    return _Range(meta.get("creationTimestamp", ""), meta["name"], cidrs) if cidrs else None


TOPIC: Final = Topic(
    "ServiceCIDR object",
    Selection((SERVICE_CIDRS_V1, SERVICE_CIDRS_V1BETA1)),
    read_service_cidr,
)


@dataclass(frozen=True)
class ServiceCIDRs:
    """See the module."""

    topics: tuple[Topic, ...] = (TOPIC,)

    def find(self, board: Board) -> Finding:
        """All ranges, the oldest first."""
        seen = board[TOPIC.title]
        ranges = sorted(seen.kept.values())
        return Finding(
            source="ServiceCIDR API",
            tells=("service",),
            service=normalise(cidr for item in ranges for cidr in item.cidrs),
            lacks="" if ranges else seen.lacks(TOPIC),
        )
