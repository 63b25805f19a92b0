"""What the installer's pods report of their nodes: interfaces, CNI plugins, CNI versions.

At its start the installer writes names to the termination message of its init container, which
kubelet shows in the pod's status; later the resident container writes a line to its log whenever
something changed (cni/internal/nodereport). `nodelogs` reads the logs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from sys import intern
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from spidercoordinator.api.objects import Object
from spidercoordinator.core.nodes.report import NodeReport
from spidercoordinator.discovery.source import WatchedObjects
from spidercoordinator.kube.reflector import Selection
from spidercoordinator.kube.resource import PODS

RESIDENT: Final = "coordinator-install"
"""The container whose log has the reports."""
_INIT: Final = "install"
"""The init container that reports at the start."""
_PARTS: Final = ("spec.nodeName", "status.initContainerStatuses", "status.containerStatuses")
_PREFIX: Final = "coordinator-install: node report "
"""How a line with a report begins, after kubelet's timestamp."""


@dataclass(frozen=True, slots=True)
class InstallerPod:
    """What is kept of a pod of the installer.

    Attributes:
        node: the node's name.
        report: what it reported at its start, None for nothing that can be read.
        reported: when, in seconds since 1970.
        runs: whether its resident container runs, so that its log can be read.
    """

    node: str
    report: NodeReport | None = None
    reported: float = 0.0
    runs: bool = False


def installer_pods(namespace: str, labels: str) -> WatchedObjects:
    """The installer's pods.

    Args:
        namespace: Where they are.
        labels: Label selector that fits them alone.
    """
    return WatchedObjects(
        "reports of the nodes",
        Selection((PODS,), namespace, labels=labels, parts=_PARTS),
        read_pod,
    )


def read_pod(obj: Object) -> InstallerPod | None:
    """What is kept of a pod; None while it has no node."""
    node = (obj.get("spec") or {}).get("nodeName")
    if not node:
        return None
    status = obj.get("status") or {}
    report, reported = None, 0.0
    for container in status.get("initContainerStatuses") or ():
        ended = (container.get("state") or {}).get("terminated") or {}
        if container["name"] == _INIT and ended.get("exitCode") == 0:
            report = read_report(ended.get("message") or "")
            reported = _seconds(str(ended.get("finishedAt") or ""))
    runs = any(
        container["name"] == RESIDENT and "running" in (container.get("state") or {})
        for container in status.get("containerStatuses") or ()
    )
    return InstallerPod(node, report, reported, runs)


def last_report(log: str) -> tuple[NodeReport, float] | None:
    """The last report in a log with kubelet's timestamps, and when it was written (since 1970)."""
    for line in reversed(log.splitlines()):
        time, _, text = line.partition(" ")
        if text.startswith(_PREFIX) and (report := read_report(text.removeprefix(_PREFIX))):
            return report, _seconds(time)
    return None


_Value = TypeVar("_Value")


class _Link(BaseModel):
    mtu: int


class _Report(BaseModel):
    interfaces: frozenset[str] | None
    unlisted: tuple[str, ...] | None = None
    truncated: bool = False
    plugins: frozenset[str] | None = None
    links: Mapping[str, _Link] | None = None
    speaks: Mapping[str, tuple[str, ...]] | None = None


# Nodes of one kind report the same, so that thousands of them share one object.
@lru_cache(maxsize=256)
def read_report(text: str) -> NodeReport | None:
    """A report as the installer writes it; None when it is none, or cut off."""
    try:
        report = _Report.model_validate_json(text)
    except ValidationError:
        return None
    if report.interfaces is None and report.plugins is None:
        return None
    groups = [(tuple(map(intern, key.split())), names) for key, names in _items(report.speaks)]
    return NodeReport(
        _interned(report.interfaces),
        report.unlisted or (),
        report.truncated,
        _interned(report.plugins),
        {intern(name): versions for versions, names in groups for name in names},
        {intern(name): link.mtu for name, link in _items(report.links)},
    )


def _items(told: Mapping[str, _Value] | None) -> Iterable[tuple[str, _Value]]:
    return told.items() if told else ()


def _interned(names: frozenset[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(map(intern, names))


def _seconds(time: str) -> float:
    """An RFC 3339 time in seconds since 1970; 0 when it is none."""
    try:
        return datetime.fromisoformat(time).timestamp()
    except ValueError:
        return 0.0
