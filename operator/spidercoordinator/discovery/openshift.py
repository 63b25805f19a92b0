"""OpenShift: Network `cluster` of config.openshift.io.

Its status is what is deployed and its spec what is wanted, says the API itself
(github.com/openshift/api, config/v1/types_network.go); a list that status lacks is read from spec.
Pods have their addresses from there whatever else is configured; nodes have no podCIDRs, so an
object that they contradict is a left-over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery import nodes
from spidercoordinator.discovery.shapes import items, mappings, split, text
from spidercoordinator.discovery.source import Observations, WatchedObjects
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import OPENSHIFT_NETWORKS


@dataclass(frozen=True, slots=True)
class _Network:
    pod: tuple[str, ...]
    service: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether all is there that it can tell, for the metric."""
        return bool(self.pod and self.service)


def read_network(obj: Object) -> _Network:
    """The clusterNetwork and serviceNetwork of a Network."""
    pod = _pod(obj, "status") or _pod(obj, "spec")
    return _Network(pod, _service(obj, "status") or _service(obj, "spec"))


def _pod(obj: Object, part: str) -> tuple[str, ...]:
    entries = mappings(obj, part, "clusterNetwork")
    return tuple(cidr for entry in entries if (cidr := text(entry, "cidr")))


def _service(obj: Object, part: str) -> tuple[str, ...]:
    return split(items(obj, part, "serviceNetwork"))


NETWORK: Final = WatchedObjects(
    "OpenShift Network cluster",
    Selection((OPENSHIFT_NETWORKS,), fields="metadata.name=cluster"),
    read_network,
)


@dataclass(frozen=True)
class OpenShift:
    """See the module."""

    watched: tuple[WatchedObjects, ...] = (NETWORK, *nodes.RANGES)

    def report(self, observations: Observations) -> SourceReport:
        """Both lists."""
        observed = observations[NETWORK.title]
        source, not_read = "OpenShift's Network", observed.unread(NETWORK)
        found: _Network | None = next(iter(observed.entries.values()), None)
        if found is None:
            missing = observed.why_empty(NETWORK)
            return SourceReport(source, missing=missing, unread=not_read)
        pod, warning = nodes.without_left_overs(NETWORK.title, found.pod, observations)
        absent = [
            field
            for field, cidrs in (("clusterNetwork", found.pod), ("serviceNetwork", found.service))
            if not cidrs
        ]
        missing = f"{NETWORK.title} has no {' and no '.join(absent)}" if absent else warning
        return SourceReport(
            source,
            pod=pod,
            service=found.service,
            missing=missing,
            warning=warning,
            unread=not_read,
            supersedes_cluster=bool(pod),
        )
