"""What the operator would make of manifests, worked out without a cluster.

CIDRs are found by asking a cluster. Here they are those a SpiderCoordinator states itself: in its
spec, or in the status that `kubectl get spidercoordinators -o yaml` prints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spidercoordinator.api import nad
from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.api.kinds import COORDINATOR_KIND, NETWORK_KIND
from spidercoordinator.core.checks.manifests import Manifest
from spidercoordinator.core.cidrs.ranges import normalise
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.network.desired import Wanted, depends_on_cluster, wanted_nad
from spidercoordinator.core.network.validation import parse

_HOW = (
    "give the cluster's own too: kubectl get spidercoordinators {0} -o yaml |"
    " spidercoordinator render -f - -f FILE"
)


@dataclass(frozen=True, slots=True)
class Rendered:
    """What became of manifests.

    Attributes:
        attachments: the NAD of each SpiderMultusConfig, as it would be but for its owner.
        lacking: why that is not what a cluster would have, and what to do; empty if it is.
    """

    attachments: list[dict[str, Any]]
    lacking: str


def render(
    manifests: Sequence[Manifest], coordinator: str, *, default_ipam: Mapping[str, Any]
) -> Rendered:
    """Work out the NADs.

    Args:
        manifests: objects that `core.checks.manifests.review` found no error in.
        coordinator: name of the SpiderCoordinator that takes effect.
        default_ipam: CNI IPAM object for networks that name none.
    """
    cluster = _cluster(manifests, coordinator)
    networks = [parse(each.thing) for each in manifests if each.kind == NETWORK_KIND]
    made = [
        _attachment(
            wanted_nad(each, cluster, default_ipam=default_ipam, coordinator_name=coordinator)
        )
        for each in networks
    ]
    concerned = any(map(depends_on_cluster, networks))
    return Rendered(made, _lacking(cluster, coordinator) if concerned else "")


def _lacking(cluster: ClusterConfig | None, coordinator: str) -> str:
    if cluster is not None and not cluster.not_ready:
        return ""
    lacks = f"no SpiderCoordinator {coordinator} is given" if cluster is None else cluster.not_ready
    return f"{lacks}; {_HOW.format(coordinator)}"


def _attachment(wanted: Wanted) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": wanted.name, "namespace": wanted.namespace}
    if wanted.annotations:
        meta["annotations"] = dict(wanted.annotations)
    return {
        "apiVersion": nad.NAD_API_VERSION,
        "kind": nad.NAD_KIND,
        "metadata": meta,
        "spec": {"config": wanted.config},
    }


def _cluster(manifests: Sequence[Manifest], name: str) -> ClusterConfig | None:
    found = (each.thing for each in manifests if (each.kind, each.name) == (COORDINATOR_KIND, name))
    thing = next(found, None)
    if thing is None:
        return None
    spec = SpiderCoordinatorSpec.model_validate(thing.get("spec") or {})
    status = thing.get("status") or {}
    pod = _stated(spec.pod_cidr, status, "overlayPodCIDR")
    service = _stated(spec.service_cidr, status, "serviceCIDR")
    if spec.pod_cidr_type == "none":
        pod = pod or ()
    lacking = [
        f"{what} (spec.{field})"
        for what, field, cidrs in (
            ("pod CIDRs", "podCIDR", pod),
            ("service CIDRs", "serviceCIDR", service),
        )
        if cidrs is None
    ]
    reason = (
        f"spidercoordinator {name} is not ready: without a cluster its {' and '.join(lacking)} are"
        " unknown"
    )
    return ClusterConfig(name, spec, pod or (), service or (), reason if lacking else "")


def _stated(
    own: tuple[str, ...] | None, status: Mapping[str, Any], field: str
) -> tuple[str, ...] | None:
    """What the spec, or else the status states; None when it is unknown."""
    if own:
        return normalise(own)
    known = (status.get("sources") or {}).get(field)
    return tuple(status.get(field) or ()) if known else None
