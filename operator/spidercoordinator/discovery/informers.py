"""Follow what the sources of CIDRs live on, and ask for a new decision when it changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from spidercoordinator.core.cidrs.selection import DetectedPlugin, SourceReport
from spidercoordinator.discovery.mesh import ISTIO, istio
from spidercoordinator.discovery.source import Detector, Observation, Source, WatchedObjects
from spidercoordinator.kube.client import Api
from spidercoordinator.kube.reflector import (
    Absent,
    Alive,
    Changed,
    Deleted,
    Failed,
    Follower,
    Listed,
    Seen,
    Selection,
)
from spidercoordinator.kube.resource import CUSTOM_RESOURCE_DEFINITIONS, Object

logger = logging.getLogger(__name__)

_KINDS: Final = Selection((CUSTOM_RESOURCE_DEFINITIONS,), metadata_only=True)
"""Every kind's name, without its schema: those are megabytes."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What followers call.

    Attributes:
        changed: a report may differ now.
        kinds_changed: the kind of this name came or went, empty for any.
        kind_removed: the CRD of the kind of this name was deleted.
        heard: a watch works.
        up: whether a topic can be read (1), does not exist (0), or fails (-1).
    """

    changed: Callable[[], None]
    kinds_changed: Callable[[str], None]
    kind_removed: Callable[[str], None]
    heard: Callable[[], None]
    up: Callable[[str, int], None]


class Followers:
    """One follower for each topic of the sources, and one for kinds that come and go.

    Attributes:
        observations: what is known, by topic.
        settled: set when every topic was read once, or cannot be.
    """

    def __init__(
        self,
        api: Api,
        sources: Iterable[Source],
        detectors: Iterable[Detector],
        tell: Signals,
    ) -> None:
        self._sources, self._detectors = tuple(sources), tuple(detectors)
        self.observations: dict[str, Observation] = {}
        self.settled = asyncio.Event()
        self._tell = tell
        self._api = api
        self._topics: dict[str, WatchedObjects] = {}
        self._followers: dict[str, Follower] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        followed = [topic for each in self._sources + self._detectors for topic in each.watched]
        for topic in (*followed, ISTIO):
            # Two sources may read the same object; it is followed once.
            self._topics[topic.title] = topic
            self.observations[topic.title] = Observation()
        self._kinds = Follower(api, _KINDS)

    def reports(self) -> list[SourceReport]:
        """What every source says now, most trusted first."""
        return [source.report(self.observations) for source in self._sources]

    def plugins(self) -> list[DetectedPlugin]:
        """Which CNI plugins with pools of their own seem to run here."""
        return [detector.detect(self.observations) for detector in self._detectors]

    def istio(self) -> bool:
        """Whether Istio is installed."""
        return istio(self.observations)

    async def run(self) -> None:
        """Follow everything, without end."""
        async with asyncio.TaskGroup() as tasks:
            for topic in self._topics.values():
                self._begin(tasks, topic)
            tasks.create_task(self._follow_kinds(tasks), name="follow kinds")

    def _begin(self, tasks: asyncio.TaskGroup, topic: WatchedObjects) -> None:
        if before := self._running.get(topic.title):
            before.cancel()
        follower = self._followers[topic.title] = Follower(self._api, topic.selection)
        self._running[topic.title] = tasks.create_task(
            self._follow(topic, follower), name=f"follow {topic.title}"
        )

    async def _follow(self, topic: WatchedObjects, follower: Follower) -> None:
        observed = self.observations[topic.title]
        async for seen in follower.follow():
            if not isinstance(seen, Failed):
                self._tell.heard()
            if note(topic, observed, seen):
                self._tell.up(topic.title, -1 if observed.error else int(observed.served))
                self._tell.changed()
            if all(known.synced for known in self.observations.values()):
                self.settled.set()

    async def _follow_kinds(self, tasks: asyncio.TaskGroup) -> None:
        async for seen in self._kinds.follow():
            if isinstance(seen, Alive):
                continue
            if isinstance(seen, Failed):
                logger.warning("kinds that are added later are noticed late: %s", seen.error)
            name = seen.object["metadata"]["name"] if isinstance(seen, Changed | Deleted) else ""
            for topic in self._topics.values():
                of_this_kind = any(name == each.full_name for each in topic.selection.resources)
                if of_this_kind and isinstance(seen, Deleted):
                    # Its watch may stay open for a while and tell nothing.
                    self._begin(tasks, topic)
                elif (of_this_kind or not name) and not self.observations[topic.title].served:
                    self._followers[topic.title].woken.set()
            self._tell.kinds_changed(name)
            if isinstance(seen, Deleted):
                self._tell.kind_removed(name)


def note(topic: WatchedObjects, observed: Observation, seen: Seen) -> bool:
    """Write what was seen on the observations; returns whether a report may differ now."""
    before = (observed.synced, observed.served, observed.error)
    changed = False
    if isinstance(seen, Failed):
        observed.synced, observed.error = True, str(seen.error)
        return before != (True, observed.served, observed.error)
    if isinstance(seen, Absent):
        observed.synced, observed.served, observed.error = True, False, ""
        changed = bool(observed.entries)
        observed.entries.clear()
        return changed or before != (True, False, "")
    if isinstance(seen, Listed):
        observed.synced = observed.served = True
        kept = {
            _name(thing): value
            for thing in seen.objects
            if (value := topic.extract(thing)) is not None
        }
        changed, observed.entries = kept != observed.entries, kept
    elif isinstance(seen, Changed | Deleted):
        changed = _note_one(topic, observed, seen)
    observed.error = ""
    return changed or before != (observed.synced, observed.served, "")


def _note_one(topic: WatchedObjects, observed: Observation, seen: Changed | Deleted) -> bool:
    name = _name(seen.object)
    before = observed.entries.get(name)
    value = None if isinstance(seen, Deleted) else topic.extract(seen.object)
    if value is None:
        observed.entries.pop(name, None)
    else:
        observed.entries[name] = value
    return before != value


def _name(thing: Object) -> str:
    meta = thing["metadata"]
    return f"{meta.get('namespace', '')}/{meta['name']}"
