"""kube-router: the range of Services in the flags of its agents.

It hands out what the controller manager gave each node (docs/user-guide.md), so the cluster's own
sources tell the pod CIDRs, and what a node's annotations say instead (discovery/nodes).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery.flags import last, occurrences, template_words
from spidercoordinator.discovery.shapes import split
from spidercoordinator.discovery.source import Observations, WatchedObjects
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import DAEMON_SETS

_FLAG: Final = "service-cluster-ip-range"
_FALSE: Final = ("0", "f", "F", "false", "FALSE", "False")
"""What Go's strconv.ParseBool takes for false."""


def read_agents(obj: Object) -> tuple[str, ...]:
    """The service ranges in the flags; the flag is a list and may be given several times."""
    return split(list(occurrences(template_words(obj), _FLAG)))


def runs_firewall(obj: Object) -> bool:
    """Whether the agents enforce NetworkPolicies, as they do unless a flag says otherwise."""
    return last(occurrences(template_words(obj), "run-firewall")) not in _FALSE


AGENTS: Final = WatchedObjects(
    "DaemonSet kube-system/kube-router",
    Selection((DAEMON_SETS,), namespace="kube-system", fields="metadata.name=kube-router"),
    read_agents,
)


@dataclass(frozen=True)
class KubeRouter:
    """See the module."""

    watched: tuple[WatchedObjects, ...] = (AGENTS,)

    def report(self, observations: Observations) -> SourceReport:
        """The service ranges."""
        observed = observations[AGENTS.title]
        found = next(iter(observed.entries.values()), ())
        missing = f"{AGENTS.title} has no --{_FLAG}"
        if not observed.entries:
            missing = observed.why_empty(AGENTS)
        return SourceReport(
            "kube-router flags",
            kinds=("service",),
            service=found,
            missing="" if found else missing,
            unread=observed.unread(AGENTS),
        )
