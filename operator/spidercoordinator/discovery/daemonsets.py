"""The agents of CNI plugins: DaemonSets known by name, in whatever namespace."""

from __future__ import annotations

from typing import Final

from spidercoordinator.api.objects import Object
from spidercoordinator.discovery.source import Observations, WatchedObjects
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import DAEMON_SETS

_NEVER_OBSERVED: Final = 0


def read_daemon_set(obj: Object) -> bool | None:
    """Whether the DaemonSet is meant to run somewhere; one without nodes is switched off.

    Readiness is left out on purpose: agents that restart are still the ones who gave the addresses.
    """
    status = obj.get("status") or {}
    generation = status.get("observedGeneration", _NEVER_OBSERVED)
    desired = status.get("desiredNumberScheduled", 0)
    return True if desired or generation == _NEVER_OBSERVED else None


def daemon_set(name: str) -> WatchedObjects:
    """The DaemonSet of this name, in any namespace."""
    return WatchedObjects(
        f"DaemonSet {name}",
        Selection((DAEMON_SETS,), fields=f"metadata.name={name}"),
        read_daemon_set,
    )


def deployed(observations: Observations, watched: WatchedObjects) -> str:
    """Namespace and name of the DaemonSet that runs, empty when none does."""
    return min(observations[watched.title].entries, default="")
