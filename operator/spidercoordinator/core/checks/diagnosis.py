"""The doctor's findings about a cluster, from the objects as they were read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from spidercoordinator.api.nad import CONTENT_HASH
from spidercoordinator.api.objects import Object
from spidercoordinator.core.coordinator.section import NOT_READY_KEY
from spidercoordinator.core.coordinator.status import NOT_READY
from spidercoordinator.core.network.render import json_text
from spidercoordinator.core.nodes.findings import NODES_READY, SOME
from spidercoordinator.core.status.warnings import DEGRADED

Level = Literal["ERROR", "WARNING", "NOTE", "UNSEEN"]

_OPERATOR: Final = "see the log of the operator's pod, and whether it runs"
_COORDINATOR: Final = "coordinator"
_ABANDONED_AFTER: Final = 60.0
"""Seconds without renewal after which nobody works, whatever the difference of two clocks."""

_WORDS: Final[tuple[tuple[Level, str, str], ...]] = (
    ("ERROR", "error", "errors"),
    ("WARNING", "warning", "warnings"),
    ("NOTE", "note", "notes"),
    ("UNSEEN", "thing", "things"),
)
"""Level, and what one and several findings of it are called."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes:
        level: ERROR: pods are not served. WARNING: some traffic fails, or will. NOTE: worth to
            know when something fails. UNSEEN: could not be read.
        what: the object.
        value: how it is.
        advice: what to do.
    """

    level: Level
    what: str
    value: str
    advice: str

    @property
    def line(self) -> str:
        """The finding as text without line breaks."""
        return " ".join(f"{self.level:<8} {self.what}: {self.value}: {self.advice}".splitlines())


def counted(findings: Iterable[Finding]) -> str:
    """How many findings there are of each level, in words: `1 error, 0 warnings, …`."""
    count = Counter(finding.level for finding in findings)
    parts = (f"{count[level]} {one if count[level] == 1 else many}" for level, one, many in _WORDS)
    return f"{', '.join(parts)} that cannot be seen from here"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The objects of a cluster; None where the kind does not exist, or was not to be read.

    Attributes:
        name: the SpiderCoordinator that takes effect.
        coordinators: SpiderCoordinators.
        networks: SpiderMultusConfigs.
        nads: NetworkAttachmentDefinitions.
        now: the time.
        installers: DaemonSets of the node installer.
        leases: Leases of operators.
    """

    name: str
    coordinators: Iterable[Object] | None
    networks: Iterable[Object] | None
    nads: Iterable[Object] | None
    now: datetime
    installers: Iterable[Object] | None = field(default=None)
    leases: Iterable[Object] | None = field(default=None)


def diagnose(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield the findings in the order in which one works through them."""
    yield from _leases(snapshot)
    yield from _coordinators(snapshot)
    yield from _networks(snapshot.networks or ())
    yield from _nads(snapshot.nads)
    yield from _installers(snapshot.installers)


def _leases(snapshot: Snapshot) -> Iterator[Finding]:
    for lease in snapshot.leases or ():
        meta, spec = lease["metadata"], lease.get("spec") or {}
        what = f"Lease {meta['namespace']}/{meta['name']}"
        holder, renewed = spec.get("holderIdentity"), spec.get("renewTime")
        if not holder or not renewed:
            yield Finding("ERROR", what, "nobody holds it, so no operator works", _OPERATOR)
            continue
        age = (snapshot.now - datetime.fromisoformat(renewed)).total_seconds()
        if age > _ABANDONED_AFTER:
            value = f"{holder} has not renewed it for {age:.0f} s, so no operator works"
            yield Finding("ERROR", what, value, _OPERATOR)


def _coordinators(snapshot: Snapshot) -> Iterator[Finding]:
    if snapshot.coordinators is None:
        yield Finding("ERROR", "kind SpiderCoordinator", "does not exist", "install the chart")
        return
    effective = None
    for coordinator in snapshot.coordinators:
        if coordinator["metadata"]["name"] == snapshot.name:
            effective = coordinator
        else:
            yield Finding(
                "NOTE",
                f"SpiderCoordinator {coordinator['metadata']['name']}",
                f"takes no effect, only {snapshot.name} does",
                "delete it, or move its settings",
            )
    what = f"SpiderCoordinator {snapshot.name}"
    if effective is None:
        yield Finding("ERROR", what, "does not exist", "helm upgrade makes it again")
        return
    yield from _effective(what, effective)


def _effective(what: str, coordinator: Object) -> Iterator[Finding]:
    status = coordinator.get("status") or {}
    if "deletionTimestamp" in coordinator["metadata"]:
        yield Finding("ERROR", what, "is being deleted", _OPERATOR)
    if not status.get("phase"):
        yield Finding("ERROR", what, "has no status", _OPERATOR)
        return
    if status.get("observedGeneration") != coordinator["metadata"].get("generation"):
        yield Finding("WARNING", what, "was changed since the operator reconciled it", _OPERATOR)
    if status["phase"] == NOT_READY:
        yield Finding("ERROR", what, "NotReady", str(status.get("reason")))
    for each in status.get("conditions") or ():
        if each["type"] == "Degraded" and each["status"] == "True":
            yield Finding("WARNING", what, f"Degraded, {each['reason']}", each["message"])
    count = status.get("networks") or {}
    if count.get("inSync", 0) < count.get("total", 0):
        advice = "kubectl get spidermultusconfig -A: those which are not ready"
        yield Finding("WARNING", what, f"{count.get('summary')} networks in sync", advice)


def _networks(networks: Iterable[Object]) -> Iterator[Finding]:
    for network in networks:
        meta = network["metadata"]
        what = f"SpiderMultusConfig {meta['namespace']}/{meta['name']}"
        status = network.get("status") or {}
        if status.get("observedGeneration") != meta.get("generation"):
            yield Finding("ERROR", what, "was not reconciled since it was changed", _OPERATOR)
            continue
        yield from _conditions(what, status.get("conditions") or ())


def _conditions(what: str, conditions: Iterable[Object]) -> Iterator[Finding]:
    told = ""
    for each in conditions:
        kind, holds, message = each["type"], each["status"] == "True", each["message"]
        if kind == "Ready" and not holds:
            told = message
            yield Finding("ERROR", what, f"not Ready, {each['reason']}", message)
        lacking = kind == NODES_READY and (each["reason"] == SOME or not holds)
        if lacking and message != told:
            yield Finding("WARNING", what, f"not on all nodes, {each['reason']}", message)
        if kind == DEGRADED and holds:
            yield Finding("WARNING", what, f"Degraded, {each['reason']}", message)


def _nads(nads: Iterable[Object] | None) -> Iterator[Finding]:
    if nads is None:
        yield Finding(
            "ERROR", "kind NetworkAttachmentDefinition", "does not exist", "install Multus"
        )
        return
    for nad in nads:
        meta = nad["metadata"]
        what = f"NetworkAttachmentDefinition {meta['namespace']}/{meta['name']}"
        ours = CONTENT_HASH in (meta.get("annotations") or {})
        text = (nad.get("spec") or {}).get("config") or "{}"
        try:
            config = json_text.loads(text)
        except ValueError as error:
            yield Finding("ERROR", what, f"spec.config is no JSON, {error}", "correct it")
            continue
        if isinstance(config, dict):
            yield from _config(what, config, ours=ours)


def _config(what: str, config: Object, *, ours: bool) -> Iterator[Finding]:
    listed = config.get("plugins") or [config]
    plugins = (
        [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    )
    for number, plugin in enumerate(plugins):
        if plugin.get("type") != _COORDINATOR:
            continue
        if number == 0 and not plugin.get(NOT_READY_KEY):
            advice = "put it after the plugin that makes the interface"
            yield Finding("ERROR", what, "coordinator is its first plugin", advice)
        if plugin.get(NOT_READY_KEY):
            yield Finding("ERROR", what, "its pods do not start", str(plugin[NOT_READY_KEY]))
        if not ours and not plugin.keys() & {"overlayPodCIDR", "serviceCIDR"}:
            value = "hand-written, takes its CIDRs from the defaults file of each node"
            yield Finding("NOTE", what, value, "nothing, if that is what you want")


def _installers(daemon_sets: Iterable[Object] | None) -> Iterator[Finding]:
    if daemon_sets is None:
        return
    found = list(daemon_sets)
    for daemon_set in found:
        meta, status = daemon_set["metadata"], daemon_set.get("status") or {}
        what = f"DaemonSet {meta['namespace']}/{meta['name']}"
        desired, ready = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
        if desired == 0:
            advice = "see installer.nodeSelector and installer.tolerations of the chart"
            yield Finding("ERROR", what, "runs on no node, so none has the plugin", advice)
        elif ready < desired:
            advice = "kubectl describe its pods; a pod's log says what hinders it"
            yield Finding("ERROR", what, f"{ready} of {desired} nodes have the plugin", advice)
        else:
            command = f"kubectl exec -n {meta['namespace']} daemonset/{meta['name']} -- "
            advice = f"{command}/coordinator-install doctor"
            yield Finding(
                "NOTE", what, f"all {desired} nodes have the plugin; a node's own", advice
            )
    if not found:
        advice = "install the chart; without it pods start only where the plugin is there already"
        yield Finding("ERROR", "DaemonSet of the node installer", "does not exist", advice)
