"""Watch the objects that sources of CIDRs read, and enqueue a reconcile when one changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from spidercoordinator.core.cidrs.reports import DetectedPlugin, SourceReport
from spidercoordinator.discovery.mesh import ISTIO, istio
from spidercoordinator.discovery.source import (
    Detector,
    Observation,
    ReadState,
    Source,
    WatchedObjects,
    full_name,
)
from spidercoordinator.kube.client import Client
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

logger = logging.getLogger(__name__)

_KINDS: Final = Selection((CUSTOM_RESOURCE_DEFINITIONS,), metadata_only=True)
"""Every kind's name, without its schema: those are megabytes."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What reflectors call.

    Attributes:
        changed: a report may differ now.
        kinds_changed: the kind of this name came or went, empty for any.
        kind_removed: the CRD of the kind of this name was deleted.
        event_seen: a watch works.
        up: whether something watched is there (1), is not (0), or cannot be read (-1).
    """

    changed: Callable[[], None]
    kinds_changed: Callable[[str], None]
    kind_removed: Callable[[str], None]
    event_seen: Callable[[], None]
    up: Callable[[str, int], None]


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
    ) -> None:
        self._sources, self._detectors = tuple(sources), tuple(detectors)
        self.observations: dict[str, Observation] = {}
        self.synced = asyncio.Event()
        self._signals = signals
        self._client = client
        self._watched: dict[str, WatchedObjects] = {}
        self._reflectors: dict[str, Reflector] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        all_watched = [
            watched for each in self._sources + self._detectors for watched in each.watched
        ]
        for watched in (*all_watched, ISTIO):
            # Two sources may read the same object; it is watched once.
            self._watched[watched.title] = watched
            self.observations[watched.title] = Observation()
        self._kinds = Reflector(client, _KINDS)

    def reports(self) -> list[SourceReport]:
        """What every source reports now, most trusted first."""
        return [source.report(self.observations) for source in self._sources]

    def plugins(self) -> list[DetectedPlugin]:
        """Which CNI plugins with pools of their own seem to run here."""
        return [detector.detect(self.observations) for detector in self._detectors]

    def istio(self) -> bool:
        """Whether Istio is installed."""
        return istio(self.observations)

    async def run(self) -> None:
        """Watch everything, without end."""
        async with asyncio.TaskGroup() as tasks:
            for watched in self._watched.values():
                self._start(tasks, watched)
            tasks.create_task(self._watch_kinds(tasks), name="kinds")

    def _start(self, tasks: asyncio.TaskGroup, watched: WatchedObjects) -> None:
        if before := self._running.get(watched.title):
            before.cancel()
        reflector = Reflector(self._client, watched.selection, watched.read)
        self._reflectors[watched.title] = reflector
        self._running[watched.title] = tasks.create_task(
            self._watch(watched, reflector), name=watched.title
        )

    async def _watch(self, watched: WatchedObjects, reflector: Reflector) -> None:
        observed = self.observations[watched.title]
        async for event in reflector.list_and_watch():
            if not isinstance(event, WatchFailed):
                self._signals.event_seen()
            if update_observation(watched, observed, event):
                self._signals.up(watched.title, observed.available)
                self._signals.changed()
            if all(each.synced for each in self.observations.values()):
                self.synced.set()

    async def _watch_kinds(self, tasks: asyncio.TaskGroup) -> None:
        async for event in self._kinds.list_and_watch():
            if isinstance(event, Bookmark):
                continue
            if isinstance(event, WatchFailed):
                logger.warning("kinds that are added later are observed late: %s", event.error)
            name = event.object["metadata"]["name"] if isinstance(event, Updated | Deleted) else ""
            for watched in self._watched.values():
                of_this_kind = any(name == each.full_name for each in watched.selection.resources)
                if of_this_kind and isinstance(event, Deleted):
                    # Its watch may stay open for a while and deliver nothing.
                    self._start(tasks, watched)
                elif (of_this_kind or not name) and self._lacks(watched):
                    self._reflectors[watched.title].wake.set()
            self._signals.kinds_changed(name)
            if isinstance(event, Deleted):
                self._signals.kind_removed(name)

    def _lacks(self, watched: WatchedObjects) -> bool:
        return self.observations[watched.title].state is not ReadState.READ


def update_observation(watched: WatchedObjects, observed: Observation, event: WatchEvent) -> bool:
    """Write what was event on the observations; returns whether a report may differ now."""
    before = (observed.state, observed.error)
    changed = False
    if isinstance(event, WatchFailed):
        observed.fail(event.error, watched)
        return before != (observed.state, observed.error)
    if isinstance(event, NotServed):
        changed = bool(observed.entries)
        observed.entries.clear()
        observed.succeed(ReadState.NOT_SERVED)
        return changed or before != (observed.state, "")
    if isinstance(event, Replaced):
        entries = {each.name: each.value for each in event.objects if each.value is not None}
        changed, observed.entries = entries != observed.entries, entries
    elif isinstance(event, Updated | Deleted):
        changed = _update_one(watched, observed, event)
    observed.succeed(ReadState.READ)
    return changed or before != (observed.state, "")


def _update_one(watched: WatchedObjects, observed: Observation, event: Updated | Deleted) -> bool:
    name = full_name(event.object)
    before = observed.entries.get(name)
    value = None if isinstance(event, Deleted) else watched.read(event.object).value
    if value is None:
        observed.entries.pop(name, None)
    else:
        observed.entries[name] = value
    return before != value
