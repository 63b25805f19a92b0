"""The NADs the operator would make of manifests, rendered without a cluster.

CIDRs are discovered in a cluster. Here they are those a SpiderCoordinator states itself: in its
spec, or in the status that `kubectl get spidercoordinators -o yaml` prints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spidercoordinator.api import nad
from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.api.kinds import COORDINATOR_KIND, NETWORK_KIND
from spidercoordinator.api.objects import Object
from spidercoordinator.core.checks.manifests import Manifest
from spidercoordinator.core.cidrs.ranges import normalise
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.network.desired import DesiredNAD, depends_on_cluster, desired_nad
from spidercoordinator.core.network.validation import parse

_HOW = (
    "give the cluster's own too: kubectl get spidercoordinators {0} -o yaml |"
    " spidercoordinator render -f - -f FILE"
)


@dataclass(frozen=True, slots=True)
class RenderedManifests:
    """The NADs of manifests.

    Attributes:
        nads: the NAD of each SpiderMultusConfig, as it would be but for its owner.
        incomplete: why that is not what a cluster would have, and what to do; empty if it is.
    """

    nads: list[Object]
    incomplete: str


def render_manifests(
    manifests: Sequence[Manifest], coordinator: str, *, default_ipam: Mapping[str, Any]
) -> RenderedManifests:
    """Work out the NADs.

    Args:
        manifests: objects that `core.checks.manifests.review_manifests` found no error in.
        coordinator: name of the SpiderCoordinator that takes effect.
        default_ipam: CNI IPAM object for networks that name none.
    """
    cluster = _cluster(manifests, coordinator)
    networks = [parse(each.obj) for each in manifests if each.kind == NETWORK_KIND]
    nads = [
        _nad_object(
            desired_nad(each, cluster, default_ipam=default_ipam, coordinator_name=coordinator)
        )
        for each in networks
    ]
    concerned = any(map(depends_on_cluster, networks))
    return RenderedManifests(nads, _incomplete(cluster, coordinator) if concerned else "")


def _incomplete(cluster: ClusterConfig | None, coordinator: str) -> str:
    if cluster is not None and not cluster.not_ready:
        return ""
    reason = (
        f"no SpiderCoordinator {coordinator} is given" if cluster is None else cluster.not_ready
    )
    return f"{reason}; {_HOW.format(coordinator)}"


def _nad_object(desired: DesiredNAD) -> Object:
    meta: Object = {"name": desired.name, "namespace": desired.namespace}
    if desired.annotations:
        meta["annotations"] = dict(desired.annotations)
    return {
        "apiVersion": nad.NAD_API_VERSION,
        "kind": nad.NAD_KIND,
        "metadata": meta,
        "spec": {"config": desired.config},
    }


def _cluster(manifests: Sequence[Manifest], name: str) -> ClusterConfig | None:
    candidates = (
        each.obj for each in manifests if (each.kind, each.name) == (COORDINATOR_KIND, name)
    )
    obj = next(candidates, None)
    if obj is None:
        return None
    spec = SpiderCoordinatorSpec.model_validate(obj.get("spec") or {})
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


def _stated(own: tuple[str, ...] | None, status: Object, field: str) -> tuple[str, ...] | None:
    """What the spec, or else the status states; None when it is unknown."""
    if own:
        return normalise(own)
    known = (status.get("sources") or {}).get(field)
    return tuple(status.get(field) or ()) if known else None
