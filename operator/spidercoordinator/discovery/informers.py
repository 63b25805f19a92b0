"""Watch the objects that sources of CIDRs read, and enqueue a reconcile when one changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from spidercoordinator.core.cidrs.nodeaddresses import NodeAddresses
from spidercoordinator.core.cidrs.reports import DetectedPlugin, Presence, SourceReport
from spidercoordinator.discovery import nodes
from spidercoordinator.discovery.crds import regenerated, undetermined
from spidercoordinator.discovery.ipam import SPIDERPOOL, spiderpool_served
from spidercoordinator.discovery.mesh import ISTIO, istio
from spidercoordinator.discovery.readings import Reading, readings
from spidercoordinator.discovery.source import (
    Detector,
    Extract,
    Observation,
    ReadState,
    Source,
    WatchedObjects,
    full_name,
)
from spidercoordinator.errors import OddObjectError
from spidercoordinator.kube.client import Client
from spidercoordinator.kube.crash import CrashHandler, brief, restarting
from spidercoordinator.kube.reflector import (
    Bookmark,
    Deleted,
    NotServed,
    Reflector,
    Replaced,
    Selection,
    Updated,
    WatchEvent,
    WatchFailed,
)
from spidercoordinator.kube.resource import CUSTOM_RESOURCE_DEFINITIONS

_KINDS: Final = Selection((CUSTOM_RESOURCE_DEFINITIONS,), metadata_only=True)
"""Every kind's name, without its schema: those are megabytes."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What reflectors call.

    Attributes:
        changed: a report may differ now.
        kinds_changed: the kind of this name came or went, empty for any.
        kind_removed: the CRD of the kind of this name was deleted.
        schema_changed: the CRD of the kind of this name has another spec.
        event_seen: a watch works.
    """

    changed: Callable[[], None]
    kinds_changed: Callable[[str], None]
    kind_removed: Callable[[str], None]
    schema_changed: Callable[[str], None]
    event_seen: Callable[[], None]


class SourceInformers:
    """One reflector for the objects each source needs, and one for kinds that come and go.

    Attributes:
        observations: what is known, by title of the watched objects.
        synced: set once all watched objects were read once, or cannot be.
    """

    def __init__(
        self,
        client: Client,
        sources: Iterable[Source],
        detectors: Iterable[Detector],
        signals: Signals,
        crashes: CrashHandler,
    ) -> None:
        self._sources, self._detectors = tuple(sources), tuple(detectors)
        self.observations: dict[str, Observation] = {}
        self.synced = asyncio.Event()
        self._signals = signals
        self._crashes = crashes
        self._client = client
        self._watched: dict[str, WatchedObjects] = {}
        self._reflectors: dict[str, Reflector] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._reported: dict[Source, SourceReport] = {}
        self._detected: dict[Detector, DetectedPlugin] = {}
        self._generations: dict[str, int] = {}
        self._node_addresses: NodeAddresses | None = None
        all_watched = [
            watched for each in self._sources + self._detectors for watched in each.watched
        ]
        for watched in (*all_watched, ISTIO, SPIDERPOOL):
            # Two sources may read the same object; it is watched once.
            self._watched[watched.title] = watched
            self.observations[watched.title] = Observation()

    def reports(self) -> list[SourceReport]:
        """What every source reports now, most trusted first."""
        return [self._report(source) for source in self._sources]

    def plugins(self) -> list[DetectedPlugin]:
        """Which CNI plugins with pools of their own seem to run here."""
        return [self._detect(detector) for detector in self._detectors]

    def istio(self) -> bool | None:
        """Whether Istio is installed; None while that is not known."""
        return istio(self.observations)

    def spiderpool(self) -> bool | None:
        """Whether Spiderpool's kinds are served; None while that is not known."""
        return spiderpool_served(self.observations)

    def node_addresses(self) -> NodeAddresses:
        """The addresses of all nodes that are known; the same object until one changes."""
        if self._node_addresses is None:
            self._node_addresses = nodes.addresses(self.observations)
        return self._node_addresses

    def readings(self) -> list[Reading]:
        """How the watched objects were read, for the metrics."""
        return readings(self._watched.values(), self.observations)

    def undetermined(self) -> tuple[str, ...]:
        """Of which products it cannot be told whether they are installed, and why."""
        products = ((ISTIO, "Istio"), (SPIDERPOOL, "Spiderpool"))
        texts = (undetermined(self.observations, *each) for each in products)
        return tuple(filter(None, texts))

    def _report(self, source: Source) -> SourceReport:
        """What a source reports; one that stumbles gives what it gave last, as unread."""
        name = type(source).__name__
        try:
            given = self._reported[source] = source.report(self.observations)
        except Exception as error:  # noqa: BLE001 - it judges what others wrote
            self._crashes.handle("source", name, error)
            last = self._reported.get(source) or SourceReport(name)
            return replace(last, unread=f"{last.source} cannot be judged: {brief(error)}")
        return given

    def _detect(self, detector: Detector) -> DetectedPlugin:
        """What a detector finds; of one that stumbles it is unknown."""
        name = type(detector).__name__
        try:
            given = self._detected[detector] = detector.detect(self.observations)
        except Exception as error:  # noqa: BLE001 - it judges what others wrote
            self._crashes.handle("detector", name, error)
            last = self._detected.get(detector) or DetectedPlugin("none", Presence.UNKNOWN)
            text = f"{name} cannot be judged: {brief(error)}"
            return replace(last, presence=Presence.UNKNOWN, unread=text)
        return given

    async def run(self) -> None:
        """Watch everything, without end."""
        async with asyncio.TaskGroup() as tasks:
            for watched in self._watched.values():
                self._start(tasks, watched)
            watch_kinds = partial(self._watch_kinds, tasks)
            tasks.create_task(restarting("kinds", watch_kinds, self._crashes), name="kinds")

    def _start(self, tasks: asyncio.TaskGroup, watched: WatchedObjects) -> None:
        if before := self._running.get(watched.title):
            before.cancel()
        watch = restarting(watched.title, partial(self._watch, watched), self._crashes)
        self._running[watched.title] = tasks.create_task(watch, name=watched.title)

    async def _watch(self, watched: WatchedObjects) -> None:
        reflector = Reflector(self._client, watched.selection, watched.read, title=watched.title)
        self._reflectors[watched.title] = reflector
        observed = self.observations[watched.title]
        async for event in reflector.list_and_watch():
            if not isinstance(event, WatchFailed):
                observed.last_read = time.time()
                self._signals.event_seen()
            if update_observation(watched, observed, event, self._crashes):
                if watched is nodes.WATCHED:
                    self._node_addresses = None
                self._signals.changed()
            if all(each.synced for each in self.observations.values()):
                self.synced.set()

    async def _watch_kinds(self, tasks: asyncio.TaskGroup) -> None:
        async for event in Reflector(self._client, _KINDS, title="kinds").list_and_watch():
            if isinstance(event, Bookmark):
                continue
            name = event.object["metadata"]["name"] if isinstance(event, Updated | Deleted) else ""
            for watched in self._watched.values():
                of_this_kind = _is_of(watched, name)
                if of_this_kind and isinstance(event, Deleted):
                    # Its watch may stay open for a while and deliver nothing.
                    self._start(tasks, watched)
                elif (of_this_kind or isinstance(event, Replaced)) and self._lacks(watched):
                    self._wake(watched)
            self._signals.kinds_changed(name)
            if isinstance(event, Deleted):
                self._signals.kind_removed(name)
            for changed in regenerated(self._generations, event):
                self._schema_changed(changed)

    def _schema_changed(self, name: str) -> None:
        for title, watched in self._watched.items():
            if _is_of(watched, name) and (reflector := self._reflectors.get(title)):
                reflector.expire()
        self._signals.schema_changed(name)

    def _lacks(self, watched: WatchedObjects) -> bool:
        return self.observations[watched.title].state is not ReadState.READ

    def _wake(self, watched: WatchedObjects) -> None:
        # A watch that is just being started looks by itself.
        if reflector := self._reflectors.get(watched.title):
            reflector.wake.set()


def _is_of(watched: WatchedObjects, name: str) -> bool:
    """Whether the watched objects are of the kind with this name of a CRD."""
    return any(name == each.full_name for each in watched.selection.resources)


def update_observation(
    watched: WatchedObjects,
    observed: Observation,
    event: WatchEvent,
    crashes: CrashHandler | None = None,
) -> bool:
    """Write what was event on the observations; returns whether a report may differ now.

    An object that nobody can make sense of counts as unread, and keeps nothing from the others.
    """
    before = (observed.state, observed.error, dict(observed.unreadable))
    changed = False
    understood = partial(_understood, watched, observed, crashes or CrashHandler())
    if isinstance(event, WatchFailed):
        observed.fail(event.error, watched)
    elif isinstance(event, NotServed):
        changed = bool(observed.entries)
        observed.entries.clear()
        observed.unreadable.clear()
        observed.succeed(ReadState.NOT_SERVED)
    else:
        if isinstance(event, Replaced):
            observed.unreadable.clear()
            read = {each.name: understood(each) for each in event.objects}
            entries = {name: value for name, value in read.items() if value is not None}
            changed, observed.entries = entries != observed.entries, entries
        elif isinstance(event, Updated | Deleted):
            name = full_name(event.object)
            observed.unreadable.pop(name, None)
            gone = isinstance(event, Deleted)
            value = None if gone else understood(watched.read(event.object))
            changed = _keep(observed, name, value)
        observed.succeed(ReadState.READ)
    return changed or before != (observed.state, observed.error, observed.unreadable)


def _understood(
    watched: WatchedObjects, observed: Observation, crashes: CrashHandler, given: Extract
) -> Any:
    """What was extracted of an object; its entry of before where that failed."""
    if given.error is None:
        return given.value
    about = f"{watched.selection.resources[0].kind} {given.name.lstrip('/')}"
    why = str(given.error)
    if not isinstance(given.error, OddObjectError):
        crashes.handle("source", about, given.error)
        why = brief(given.error)
    observed.unreadable[given.name] = f"{about} cannot be understood: {why}"
    return observed.entries.get(given.name)


def _keep(observed: Observation, name: str, value: Any) -> bool:
    """Keep what was extracted of one object, None for nothing; whether it differs."""
    before = observed.entries.get(name)
    if value is None:
        observed.entries.pop(name, None)
    else:
        observed.entries[name] = value
    return bool(before != value)
