"""What all networks have in common: the effective SpiderCoordinator with the CIDRs discovered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from json import dumps

from typing_extensions import override

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec


@dataclass(frozen=True)
class ClusterConfig:
    """The cluster's part of every network's configuration.

    Attributes:
        name: name of the SpiderCoordinator.
        spec: its spec, defaults filled in.
        overlay_pod_cidr: pod CIDRs, normalised, in stable order.
        service_cidr: service CIDRs, likewise.
        not_ready: why pods cannot be served, empty when they can; networks carry it so that the
            pod's event shows it.
    """

    name: str
    spec: SpiderCoordinatorSpec
    overlay_pod_cidr: tuple[str, ...] = ()
    service_cidr: tuple[str, ...] = ()
    not_ready: str = ""

    @override
    def __hash__(self) -> int:
        """By its revision, which is worked out once: what is cached for it is asked for often."""
        return hash(self.revision)

    @cached_property
    def revision(self) -> str:
        """A short hash: networks rendered from an equal one are in sync."""
        content = [
            self.spec.wire(),
            self.overlay_pod_cidr,
            self.service_cidr,
            self.not_ready,
        ]
        return sha256(dumps(content, sort_keys=True).encode()).hexdigest()[:16]
