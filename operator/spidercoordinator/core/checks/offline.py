"""The NADs the operator would make of manifests, rendered without a cluster.

CIDRs are discovered in a cluster. Here they are those a SpiderCoordinator states itself: in its
spec, or in the status that `kubectl get spidercoordinators -o yaml` prints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spidercoordinator.api import nad
from spidercoordinator.api.kinds import NETWORK_KIND
from spidercoordinator.api.objects import Object
from spidercoordinator.core.checks.manifests import Manifest
from spidercoordinator.core.checks.stated import stated_cluster, stated_ipam
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.network.desired import DesiredNAD, depends_on_cluster, desired_nad
from spidercoordinator.core.network.validation import parse

_HOW = (
    "give the cluster's own too: kubectl get spidercoordinators {0} -o yaml |"
    " spidercoordinator render -f - -f FILE"
)


_WITHOUT_IPAM = (
    "SpiderMultusConfig {0.namespace}/{0.owner[name]} names no IPAM: say which one the cluster has"
    " for it with --default-ipam, or give the cluster's SpiderCoordinator, whose status says it"
)


@dataclass(frozen=True, slots=True)
class RenderedManifests:
    """The NADs of manifests.

    Attributes:
        nads: the NAD of each SpiderMultusConfig, as it would be but for its owner.
        incomplete: why that is not what a cluster would have, and what to do; empty if it is.
    """

    nads: list[Object]
    incomplete: list[str]


def render_manifests(
    manifests: Sequence[Manifest], coordinator: str, *, default_ipam: Mapping[str, Any]
) -> RenderedManifests:
    """Work out the NADs.

    Args:
        manifests: objects that `core.checks.manifests.review_manifests` found no error in.
        coordinator: name of the SpiderCoordinator that takes effect.
        default_ipam: CNI IPAM object for networks that name none; empty: as the SpiderCoordinator's
            status says.
    """
    objects = [each.obj for each in manifests]
    cluster = stated_cluster(objects, coordinator)
    ipam = default_ipam or stated_ipam(objects, coordinator)
    networks = [parse(each.obj) for each in manifests if each.kind == NETWORK_KIND]
    desired = [
        desired_nad(each, cluster, default_ipam=ipam, coordinator_name=coordinator)
        for each in networks
    ]
    concerned = any(map(depends_on_cluster, networks))
    incomplete = [_incomplete(cluster, coordinator)] if concerned else []
    incomplete += [_WITHOUT_IPAM.format(each) for each in desired if each.lacks_ipam]
    return RenderedManifests(list(map(_nad_object, desired)), list(filter(None, incomplete)))


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
