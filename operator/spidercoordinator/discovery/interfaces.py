"""Which network interfaces the nodes have, as told by the pods of the installer.

The installer writes them to its termination message (cni/internal/interfaces); kubelet shows that
in the pod's status.
"""

from __future__ import annotations

from functools import lru_cache
from sys import intern
from typing import Final

from pydantic import BaseModel, ValidationError

from spidercoordinator.api.objects import Object
from spidercoordinator.core.checks.masters import Interfaces, Told
from spidercoordinator.discovery.source import Topic
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import PODS

_CONTAINER: Final = "install"
"""The init container that tells."""
_TELLING: Final = (("spec", "nodeName"), ("status", "initContainerStatuses"))


def installer_pods(namespace: str, labels: str) -> Topic:
    """The topic of the installer's pods.

    Args:
        namespace: Where they are.
        labels: Label selector that fits them alone.
    """
    return Topic(
        "interfaces of the nodes",
        Selection((PODS,), namespace, labels=labels, only=_TELLING),
        read_pod,
    )


def read_pod(thing: Object) -> Told | None:
    """What a pod tells of its node; None when it tells nothing, or nothing that can be read."""
    node = (thing.get("spec") or {}).get("nodeName")
    for container in (thing.get("status") or {}).get("initContainerStatuses") or ():
        ended = (container.get("state") or {}).get("terminated") or {}
        if node and container["name"] == _CONTAINER and ended.get("exitCode") == 0:
            found = read_message(ended.get("message") or "")
            return Told(node, found) if found else None
    return None


class _Report(BaseModel):
    interfaces: frozenset[str]
    unlisted: tuple[str, ...] = ()
    truncated: bool = False


# Nodes of one kind tell the same, so that thousands of them share one object.
@lru_cache(maxsize=256)
def read_message(text: str) -> Interfaces | None:
    """A termination message; None when it is none of the installer's, or cut off."""
    try:
        report = _Report.model_validate_json(text)
    except ValidationError:
        return None
    names = frozenset(map(intern, report.interfaces))
    return Interfaces(names, report.unlisted, report.truncated)
