"""Which nodes Calico's start-up marked as its own: annotations `projectcalico.org/IPv4Address`, ….

It shows a Calico whose agents are in no DaemonSet that is known: in another namespace, or run by
the host itself. Nodes that another network marked, too, were taken over by that one.
"""

from __future__ import annotations

from spidercoordinator.core.cidrs.reports import Presence
from spidercoordinator.discovery import nodes
from spidercoordinator.discovery.daemonsets import Objects
from spidercoordinator.discovery.source import Observation


def marks(observation: Observation) -> Objects:
    """Whether each node is Calico's; one that joined after Calico went is not.

    Args:
        observation: Of `nodes.WATCHED`.
    """
    if observation.entries:
        marked = all(facts.of_calico for facts in observation.entries.values())
        return Objects.PRESENT if marked else Objects.ABSENT
    return Objects.UNREAD if observation.unread(nodes.WATCHED) else Objects.ABSENT


def without_agents(blocks: Objects, marked: Objects) -> Presence:
    """What blocks in use and marked nodes say where no agents are known."""
    if Objects.ABSENT in {blocks, marked}:
        return Presence.LEFT_OVERS if blocks is Objects.PRESENT else Presence.ABSENT
    return Presence.UNKNOWN if Objects.UNREAD in {blocks, marked} else Presence.MARKED
