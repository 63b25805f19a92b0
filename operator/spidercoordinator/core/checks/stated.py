"""What a SpiderCoordinator states itself, with no cluster to ask.

CIDRs are discovered in a cluster. Without one they are those of its spec, or of the status that
`kubectl get spidercoordinators -o yaml` prints.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from spidercoordinator.api.coordinator import SpiderCoordinator
from spidercoordinator.api.kinds import COORDINATOR_KIND
from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.ranges import normalise
from spidercoordinator.core.coordinator.cluster import ClusterConfig


def stated_cluster(objects: Iterable[Object], name: str) -> ClusterConfig | None:
    """The cluster's part of networks, of the SpiderCoordinator of this name; None without it.

    Raises:
        ValidationError: That SpiderCoordinator breaks a rule.
    """
    obj = _coordinator(objects, name)
    if obj is None:
        return None
    # All of it: in a file the status can be anything, too.
    spec = SpiderCoordinator.model_validate(obj).spec
    status = obj.get("status") or {}
    pod = _stated(spec.pod_cidr, status, "overlayPodCIDR")
    service = _stated(spec.service_cidr, status, "serviceCIDR")
    if spec.pod_cidr_type == "none":
        pod = pod or ()
    unknown = [
        f"{what} (spec.{field})"
        for what, field, cidrs in (
            ("pod CIDRs", "podCIDR", pod),
            ("service CIDRs", "serviceCIDR", service),
        )
        if cidrs is None
    ]
    reason = (
        f"spidercoordinator {name} is not ready: without a cluster its {' and '.join(unknown)} are"
        " unknown"
    )
    return ClusterConfig(name, spec, pod or (), service or (), reason if unknown else "")


def stated_ipam(objects: Iterable[Object], name: str) -> Mapping[str, Any]:
    """The IPAM of networks that name none, as this SpiderCoordinator's status says; or empty."""
    status = (_coordinator(objects, name) or {}).get("status") or {}
    stated = status.get("defaultIPAM")
    return stated if isinstance(stated, Mapping) and stated.get("type") else {}


def _coordinator(objects: Iterable[Object], name: str) -> Object | None:
    wanted = (COORDINATOR_KIND, name)
    return next(
        (each for each in objects if (each["kind"], each["metadata"]["name"]) == wanted), None
    )


def _stated(own: tuple[str, ...] | None, status: Object, field: str) -> tuple[str, ...] | None:
    """What the spec, or else the status states; None when it is unknown."""
    if own:
        return normalise(own)
    known = (status.get("sources") or {}).get(field)
    return tuple(status.get(field) or ()) if known else None
