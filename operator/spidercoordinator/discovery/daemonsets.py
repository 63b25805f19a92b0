"""The agents of CNI plugins: DaemonSets known by name, in namespaces of the cluster's components.

A DaemonSet of that name elsewhere is a tenant's: it is no evidence.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from functools import partial
from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.reports import Presence
from spidercoordinator.discovery.source import Observation, ReadState, WatchedObjects
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import DAEMON_SETS

_NEVER_OBSERVED: Final = 0


class Agents(Enum):
    """The state of a DaemonSet of agents."""

    READY = "ready"
    """At least one of its pods is ready."""
    STARTING = "starting"
    """It is meant to run on nodes, and no pod is ready: just made, restarting, or failing."""
    UNREAD = "unread"
    """Nobody can tell: DaemonSets cannot be read."""
    ELSEWHERE = "elsewhere"
    """It is in a namespace that is none of the cluster's components."""
    NONE = "none"
    """There is none, or it is meant to run on no node."""


def read_daemon_set(obj: Object, namespaces: frozenset[str]) -> Agents | None:
    """The state of the agents; None for a DaemonSet without nodes, which is switched off."""
    if obj["metadata"].get("namespace") not in namespaces:
        return Agents.ELSEWHERE
    status = obj.get("status") or {}
    if status.get("numberReady", 0):
        return Agents.READY
    generation = status.get("observedGeneration", _NEVER_OBSERVED)
    desired = status.get("desiredNumberScheduled", 0)
    return Agents.STARTING if desired or generation == _NEVER_OBSERVED else None


def daemon_set(name: str, namespaces: Iterable[str]) -> WatchedObjects:
    """The DaemonSet of this name.

    Args:
        name: of the DaemonSet.
        namespaces: those in which it is one of the cluster's own components.
    """
    return WatchedObjects(
        f"DaemonSet {name}",
        Selection((DAEMON_SETS,), fields=f"metadata.name={name}"),
        partial(read_daemon_set, namespaces=frozenset(namespaces)),
    )


def find_agents(observation: Observation) -> tuple[Agents, str]:
    """The agents that say most, in the order of `Agents`, and their `namespace/name`."""
    found = {state: name for name, state in sorted(observation.entries.items(), reverse=True)}
    if observation.state in {ReadState.NOT_READ, ReadState.FAILED}:
        found.setdefault(Agents.UNREAD, "")
    best = next((state for state in Agents if state in found), Agents.NONE)
    return best, found.get(best, "")


def running(observation: Observation) -> str:
    """That agents have ready pods, for people; empty when none are known to."""
    agents, name = find_agents(observation)
    return describe(agents, name) if agents is Agents.READY else ""


def deployed(observation: Observation) -> bool:
    """Whether agents are meant to run, also while they restart or cannot be read."""
    return find_agents(observation)[0] in {Agents.READY, Agents.STARTING, Agents.UNREAD}


class Objects(Enum):
    """Whether the objects are there that the agents always make."""

    PRESENT = "present"
    ABSENT = "absent"
    UNREAD = "unread"


_WITHOUT_AGENTS: Final = {
    Objects.PRESENT: Presence.LEFT_OVERS,
    Objects.ABSENT: Presence.ABSENT,
    Objects.UNREAD: Presence.ABSENT,
}
_PRESENCE: Final = {
    Agents.READY: {
        Objects.PRESENT: Presence.RUNNING,
        Objects.ABSENT: Presence.DOUBTFUL,
        Objects.UNREAD: Presence.UNKNOWN,
    },
    Agents.STARTING: {
        Objects.PRESENT: Presence.UNKNOWN,
        Objects.ABSENT: Presence.DOUBTFUL,
        Objects.UNREAD: Presence.UNKNOWN,
    },
    Agents.UNREAD: {
        Objects.PRESENT: Presence.UNKNOWN,
        Objects.ABSENT: Presence.ABSENT,
        Objects.UNREAD: Presence.UNKNOWN,
    },
    Agents.ELSEWHERE: _WITHOUT_AGENTS,
    Agents.NONE: _WITHOUT_AGENTS,
}


def presence(agents: Agents, objects: Objects) -> Presence:
    """What agents and objects together say of their plugin."""
    return _PRESENCE[agents][objects]


def describe(agents: Agents, name: str) -> str:
    """The state of agents for people; empty when there are none."""
    return {
        Agents.READY: f"DaemonSet {name} has ready pods",
        Agents.STARTING: f"DaemonSet {name} has no ready pod",
        Agents.ELSEWHERE: (
            f"DaemonSet {name} is in none of the namespaces of the cluster's own components"
            " (SPIDERCOORDINATOR_AGENT_NAMESPACES, chart value global.agentNamespaces)"
        ),
    }.get(agents, "")
