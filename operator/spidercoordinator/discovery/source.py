"""What a source of CIDRs is: the objects it watches, and a pure reading of what was observed.

A source never talks with the API server. It names the objects it watches; the informers
(discovery/informers) keep, for every object, only the small value that `extract` makes of it, and
enqueue the SpiderCoordinator when one of those values changes. So thousands of nodes cost a few
bytes each, and a heartbeat in a node's status costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Protocol

from spidercoordinator.api.objects import Object, name_of
from spidercoordinator.core.cidrs.reports import DetectedPlugin, SourceReport
from spidercoordinator.errors import ApiError, ApiForbiddenError
from spidercoordinator.kube.reflector import Selection


@dataclass(frozen=True, slots=True)
class Extract:
    """What is kept of a watched object.

    Attributes:
        name: its `namespace/name`.
        value: what `WatchedObjects.extract` made of it, None when it does not matter.
        error: what it raised, when it could make no sense of the object.
    """

    name: str
    value: Hashable | None
    error: Exception | None = None


@dataclass(frozen=True)
class WatchedObjects:
    """Objects from which CIDRs, or a CNI plugin, can be read.

    Attributes:
        title: how messages name them.
        selection: which objects.
        extract: what is kept of one, None for an object that does not matter.
    """

    title: str
    selection: Selection
    extract: Callable[[Object], Hashable | None]

    def read(self, given: Object) -> Extract:
        """What is kept of an object; reflectors call it while they read a list page by page."""
        name = full_name(given)
        try:
            return Extract(name, self.extract(given))
        except Exception as error:  # noqa: BLE001 - the object is somebody else's
            return Extract(name, None, error)


class ReadState(Enum):
    """What the entries of an observation are worth."""

    NOT_READ = "not read"
    """Nothing was read yet: no entries say nothing."""
    READ = "read"
    """The entries are all there are."""
    NOT_SERVED = "not served"
    """The API server does not have the kind: there are none."""
    FAILED = "failed"
    """They cannot be read now: the entries are those of before, and none say nothing."""


_LOST_AFTER: Final = 2
"""Failures in a row after which what was read before counts as unread; one is a lost connection."""


@dataclass(slots=True)
class Observation:
    """The cache of watched objects.

    Attributes:
        state: what the entries are worth.
        error: why they cannot be read, when they cannot.
        entries: the extracted values by `namespace/name`.
        failures: how often in a row reading failed.
        unreadable: why single objects cannot be understood, by `namespace/name`; the entry of
            before stays.
        last_read: when the API server last told of them, in seconds since 1970; 0 for never.
    """

    state: ReadState = ReadState.NOT_READ
    error: str = ""
    entries: dict[str, Any] = field(default_factory=dict)
    failures: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)
    last_read: float = 0.0

    @property
    def synced(self) -> bool:
        """Whether they were read, or found unreadable, at least once."""
        return self.state is not ReadState.NOT_READ

    @property
    def readable(self) -> bool:
        """Whether the entries are all there is, as far as anybody can tell."""
        return self.state in {ReadState.READ, ReadState.NOT_SERVED} and not self.unreadable

    @property
    def count(self) -> int:
        """How many of the entries tell something."""
        return sum(map(bool, self.entries.values()))

    def fail(self, error: ApiError, watched: WatchedObjects) -> None:
        """Take in that they could not be read; the entries of before stay.

        A refusal counts at once, and so does any failure when nothing was read before.
        """
        self.failures += 1
        forbidden = isinstance(error, ApiForbiddenError)
        if self.state is ReadState.READ and not forbidden and self.failures < _LOST_AFTER:
            return
        kind = watched.selection.resources[0].full_name
        self.state = ReadState.FAILED
        self.error = f"may not list {kind}: {error}" if forbidden else str(error)

    def succeed(self, state: ReadState) -> None:
        """Take in that they were read, or found not to exist."""
        self.state, self.error, self.failures = state, "", 0

    def unread(self, watched: WatchedObjects) -> str:
        """Why the entries are no evidence, for people; empty when they are."""
        if self.state is ReadState.NOT_READ:
            return f"{watched.title}: not read yet"
        return self.error or next(iter(self.unreadable.values()), "")

    def why_empty(self, watched: WatchedObjects) -> str:
        """Why there are no entries, for people: unread, or absent."""
        if unread := self.unread(watched):
            return unread
        if self.state is ReadState.NOT_SERVED:
            return f"the API server has no {watched.selection.resources[0].full_name}"
        return f"there is no {watched.title}"


def full_name(given: Object) -> str:
    """`namespace/name` of an object; the namespace is empty where its kind has none."""
    return "/".join(name_of(given))


Observations = Mapping[str, Observation]
"""What is observed now, by title of the watched objects."""


def unread(observations: Observations, *watched: WatchedObjects) -> str:
    """Why some of these objects cannot be read now, for people; empty when all were."""
    reasons = (observations[each.title].unread(each) for each in watched)
    return "; ".join(dict.fromkeys(reason for reason in reasons if reason))


class Detector(Protocol):
    """One CNI plugin that can be detected."""

    @property
    def watched(self) -> tuple[WatchedObjects, ...]:
        """What it is detected from."""

    def detect(self, observations: Observations) -> DetectedPlugin:
        """Whether it runs here."""


class Source(Protocol):
    """One source of CIDRs."""

    @property
    def watched(self) -> tuple[WatchedObjects, ...]:
        """The objects it reads."""

    def report(self, observations: Observations) -> SourceReport:
        """The CIDRs it knows now."""
