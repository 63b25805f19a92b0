"""What is decided of whole clusters: all sources and detectors, up to the status."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.core.cidrs.known import last_known
from spidercoordinator.core.cidrs.selection import select_cidrs
from spidercoordinator.core.coordinator.status import StatusInputs, compute_status
from spidercoordinator.discovery.informers import update_observation
from spidercoordinator.discovery.source import Observation, WatchedObjects
from spidercoordinator.discovery.sources import detectors, sources
from spidercoordinator.errors import ApiForbiddenError
from spidercoordinator.kube.reflector import NotServed, Replaced, WatchFailed
from spidercoordinator.runtime.settings import Settings
from tests.unit.discovery.observing import listed

Objects = dict[str, list[dict[str, Any]]]
Status = dict[str, Any]

SETTINGS = Settings()
SOURCES = sources(SETTINGS.cilium_configmap, SETTINGS.agent_namespaces)
DETECTORS = detectors(SETTINGS.cilium_configmap, SETTINGS.agent_namespaces)
WATCHED: Final = {
    watched.title: watched
    for found in (
        *(each.watched for each in SOURCES),
        *(each.watched for each in DETECTORS),
    )
    for watched in found
}
_BUILT_IN: Final = ("configmaps", "nodes", "pods", "daemonsets.apps")

MAPS, NODES, PODS, DAEMON_SETS = _BUILT_IN
SERVICE_CIDRS = "servicecidrs.networking.k8s.io"
CALICO_POOLS = "ippools.crd.projectcalico.org"
CALICO_BLOCKS = "ipamblocks.crd.projectcalico.org"
CILIUM_NODES = "ciliumnodes.cilium.io"
CILIUM_POOLS = "ciliumpodippools.cilium.io"
OPENSHIFT = "networks.config.openshift.io"
SUBNETS = "subnets.kubeovn.io"
ANTREA_POOLS = "ippools.crd.antrea.io"
K0S = "clusterconfigs.k0s.k0sproject.io"
AZURE = "nodenetworkconfigs.acn.azure.com"


@dataclass(frozen=True)
class Cluster:
    objects: Objects
    type: str
    pod: list[str]
    service: list[str]


def observe(
    objects: Objects,
    *,
    forbidden: Iterable[str] = (),
    before: dict[str, Observation] | None = None,
) -> dict[str, Observation]:
    """What informers hold: just started, or for a while.

    Args:
        objects: of each kind that is served; a kind that is not built in and not here is not.
        forbidden: titles of what may not be listed.
        before: what was observed before; None for an operator that just started.
    """
    found = before or {}
    for title, watched in WATCHED.items():
        observation = found.setdefault(title, Observation())
        kind = watched.selection.resources[0].full_name
        if title in forbidden:
            failure = WatchFailed(ApiForbiddenError("no", status=403))
            update_observation(watched, observation, failure)
        elif kind not in objects and kind not in _BUILT_IN:
            update_observation(watched, observation, NotServed())
        else:
            given = [each for each in objects.get(kind, []) if _is_selected(watched, each)]
            read = [watched.read(each) for each in listed(watched, given)]
            update_observation(watched, observation, Replaced(read))
    return found


def decide(observations: dict[str, Observation], before: Status | None = None) -> Status:
    """The status of a SpiderCoordinator with podCIDRType auto that was in this one before."""
    spec, status = SpiderCoordinatorSpec(), before or {}
    discovered = select_cidrs(
        spec,
        [each.report(observations) for each in SOURCES],
        [each.detect(observations) for each in DETECTORS],
        last_known(status, 1),
    )
    inputs = StatusInputs("default", 1, spec, discovered, True, status, "2026-01-01T00:00:00Z")
    return compute_status(inputs).status


def lists(status: Status) -> tuple[str | None, list[str], list[str]]:
    return status["podCIDRType"], status["overlayPodCIDR"], status["serviceCIDR"]


def degraded(status: Status) -> str:
    """The message of condition Degraded, empty when it is False."""
    found = next(each for each in status["conditions"] if each["type"] == "Degraded")
    return str(found["message"]) if found["status"] == "True" else ""


def _is_selected(watched: WatchedObjects, given: dict[str, Any]) -> bool:
    selection, meta = watched.selection, given["metadata"]
    name = selection.fields.removeprefix("metadata.name=")
    label, _, values = selection.labels.replace("=", " in (").partition(" in (")
    return (
        selection.namespace in {"", meta.get("namespace")}
        and name in {"", meta["name"]}
        and (not label or meta.get("labels", {}).get(label) in values.rstrip(")").split(","))
    )
