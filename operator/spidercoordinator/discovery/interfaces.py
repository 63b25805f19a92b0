"""Which network interfaces and CNI plugins the nodes have, as the installer's pods report.

The installer writes them to its termination message (cni/internal/interfaces); kubelet shows that
in the pod's status.
"""

from __future__ import annotations

from functools import lru_cache
from sys import intern
from typing import Final

from pydantic import BaseModel, ValidationError

from spidercoordinator.api.objects import Object
from spidercoordinator.core.checks.masters import Interfaces, NodeInterfaces
from spidercoordinator.discovery.source import WatchedObjects
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import PODS

_CONTAINER: Final = "install"
"""The init container that reports."""


def installer_pods(namespace: str, labels: str) -> WatchedObjects:
    """The installer's pods.

    Args:
        namespace: Where they are.
        labels: Label selector that fits them alone.
    """
    return WatchedObjects(
        "interfaces of the nodes",
        Selection((PODS,), namespace, labels=labels),
        read_interfaces,
    )


def read_interfaces(obj: Object) -> NodeInterfaces | None:
    """What a pod reports of its node; None when that is nothing, or nothing that can be read."""
    node = (obj.get("spec") or {}).get("nodeName")
    for container in (obj.get("status") or {}).get("initContainerStatuses") or ():
        ended = (container.get("state") or {}).get("terminated") or {}
        if node and container["name"] == _CONTAINER and ended.get("exitCode") == 0:
            interfaces = read_message(ended.get("message") or "")
            return NodeInterfaces(node, interfaces) if interfaces else None
    return None


class _Report(BaseModel):
    interfaces: frozenset[str]
    unlisted: tuple[str, ...] = ()
    truncated: bool = False
    plugins: frozenset[str] | None = None


# Nodes of one kind report the same, so that thousands of them share one object.
@lru_cache(maxsize=256)
def read_message(text: str) -> Interfaces | None:
    """A termination message; None when it is none of the installer's, or cut off."""
    try:
        report = _Report.model_validate_json(text)
    except ValidationError:
        return None
    names = frozenset(map(intern, report.interfaces))
    plugins = frozenset(map(intern, report.plugins)) if report.plugins is not None else None
    return Interfaces(names, report.unlisted, report.truncated, plugins)
