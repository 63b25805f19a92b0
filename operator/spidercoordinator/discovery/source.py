"""What a source of CIDRs is: the objects it watches, and a pure reading of what was observed.

A source never talks with the API server. It names the objects it watches; the informers
(discovery/informers) keep, for every object, only the small value that `extract` makes of it, and
enqueue the SpiderCoordinator when one of those values changes. So thousands of nodes cost a few
bytes each, and a heartbeat in a node's status costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from spidercoordinator.api.objects import Object
from spidercoordinator.core.cidrs.selection import DetectedPlugin, SourceReport
from spidercoordinator.kube.reflector import Selection


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


@dataclass(slots=True)
class Observation:
    """The cache of watched objects.

    Attributes:
        synced: whether they were listed, or found absent, at least once.
        served: whether the API server has the kind.
        error: why they cannot be read now; the entries of before stay.
        entries: the extracted values by `namespace/name`.
    """

    synced: bool = False
    served: bool = False
    error: str = ""
    entries: dict[str, Any] = field(default_factory=dict)

    def why_empty(self, watched: WatchedObjects) -> str:
        """Why there are no entries, for people."""
        if self.error:
            return self.error
        if not self.synced:
            return f"{watched.title}: not read yet"
        if not self.served:
            return f"the API server has no {watched.selection.resources[0].full_name}"
        return f"there is no {watched.title}"


Observations = Mapping[str, Observation]
"""What is observed now, by title of the watched objects."""


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
